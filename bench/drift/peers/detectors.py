"""Where the detectors of river and Frouros alarm, with their defaults, on streams that lie in a file.

Requests: {"streams": file of float64, "records": in each, "detectors": names, "count": only so many streams}.
Answers: by name, the alarms of each stream; a detector begins anew after each.
"""

import logging

import numpy as np
from answers import answer
from frouros.detectors import concept_drift as frouros
from river import drift

logging.disable(logging.CRITICAL)


def of_river(make):
    def alarms(stream):
        detector, found = make(), []
        for i, x in enumerate(stream):
            detector.update(x)
            if detector.drift_detected:
                found.append(i)
                detector = make()
        return found

    return alarms


def of_frouros(make):
    def alarms(stream):
        detector, found = make(), []
        for i, x in enumerate(stream):
            detector.update(value=x)
            if detector.drift:
                found.append(i)
                detector = make()
        return found

    return alarms


DETECTORS = {
    "river ADWIN": of_river(drift.ADWIN),
    "river Page-Hinkley": of_river(drift.PageHinkley),
    "river DDM": of_river(drift.binary.DDM),
    "river HDDM_A": of_river(drift.binary.HDDM_A),
    "river HDDM_W": of_river(drift.binary.HDDM_W),
    "river KSWIN": of_river(lambda: drift.KSWIN(seed=42)),
    "Frouros ADWIN": of_frouros(frouros.ADWIN),
    "Frouros Page-Hinkley": of_frouros(frouros.PageHinkley),
    "Frouros CUSUM": of_frouros(frouros.CUSUM),
    "Frouros DDM": of_frouros(frouros.DDM),
    "Frouros EDDM": of_frouros(frouros.EDDM),
    "Frouros HDDM_A": of_frouros(frouros.HDDMA),
    "Frouros HDDM_W": of_frouros(frouros.HDDMW),
    "Frouros RDDM": of_frouros(frouros.RDDM),
    "Frouros ECDD": of_frouros(frouros.ECDDWT),
    "Frouros STEPD": of_frouros(frouros.STEPD),
}


def run(request):
    streams = np.fromfile(request["streams"]).reshape(-1, request["records"])[: request["count"]]
    return {name: [DETECTORS[name](stream.tolist()) for stream in streams] for name in request["detectors"]}


answer({"streams": run})
