"""NannyML's default univariate rule, Jensen-Shannon beyond three standard deviations of the reference's chunks, in any column.

Arguments and requests as column_rules.py has them; each window is a chunk.
"""

import logging
import os
import sys
import time
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import numpy as np
import pandas as pd
from answers import answer

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import nannyml  # noqa: E402

columns = int(sys.argv[2])
names = [f"c{i}" for i in range(columns)]
reference = np.fromfile(sys.argv[1]).reshape(-1, columns)


def judge(request):
    rows = request["rows"]
    windows = np.fromfile(request["windows"]).reshape(-1, columns)
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, chunk_size=rows)
    calculator.fit(pd.DataFrame(reference, columns=names))
    start = time.process_time()
    result = calculator.calculate(pd.DataFrame(windows, columns=names)).filter(period="analysis").to_df()
    seconds = time.process_time() - start
    alerts = result.loc[:, [c for c in result.columns if c[-1] == "alert"]].to_numpy()
    return {"nannyml": {"flags": alerts.any(axis=1).astype(bool).tolist(), "seconds": seconds}}


answer({"windows": judge})
