"""Where the local AWS is watched and disturbed: each API request, each invocation, each message between services.

What is done to them is asked of `faults.py`, what happened is told to `counters.py`.
"""

import contextvars
import functools
import inspect
import json
import logging
import threading
import time

from counters import Counters
from faults import Faults
from patches import PatchError
from refusals import refusal

log = logging.getLogger("launcher")
ROOT_KEY = "test"


def apply(counters: Counters, faults: Faults) -> None:
    """Call after the patches and before the app serves."""
    watch_requests(counters, faults)
    watch_invocations(counters, faults)
    watch_messages(counters, faults)
    watch_workflows(counters)


def watch_requests(counters: Counters, faults: Faults) -> None:
    """Every request of an AWS API that arrives over HTTP."""
    from ministack import app
    from ministack.core import iam_actions, router

    dispatch = app._dispatch_service_request

    def named(method, path, headers, body, query_params) -> tuple[str, str]:
        routing = app._routing_params(method, path, headers, body, query_params)
        service = app.detect_service(method, path, headers, routing)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, routing)
        namespace, _, name = (action or f"{service}:{method}").partition(":")
        return namespace, name

    async def watched(method, path, headers, body, query_params, request_id):
        service, action = named(method, path, headers, body, query_params)
        root = router.extract_access_key_id(headers, query_params) == ROOT_KEY
        # An invocation is refused where it begins, so that those by other services are refused alike.
        is_invoke = service == "lambda" and action.startswith("Invoke")
        if not is_invoke and faults.throttles(service):
            answer = refusal(service, action, request_id)
            throttled = True
        else:
            answer = await dispatch(method, path, headers, body, query_params, request_id)
            throttled = answer[0] == 429
        status, _, answered = answer
        size = len(answered) if isinstance(answered, (bytes, str)) else 0
        counters.request(root, service, action, status, throttled, (len(body or b""), size))
        return answer

    app._dispatch_service_request = watched


_waits_for_capacity: contextvars.ContextVar[bool] = contextvars.ContextVar("waits_for_capacity", default=False)
_CAPACITY_S = 0.5


def watch_invocations(counters: Counters, faults: Faults) -> None:
    """Every invocation of a function, by whomever. One that nobody waits for is late where another is refused."""
    from ministack.services import lambda_svc

    run = lambda_svc._execute_function_dispatch
    acquire = lambda_svc._acquire_execution_slot
    in_background = lambda_svc.invoke_async_with_retry
    if "_acquire_execution_slot" not in lambda_svc._execute_function.__code__.co_names:
        raise PatchError("MiniStack limits concurrency in another way now: look at watch_invocations.")

    def name_of(config: dict) -> str:
        return config.get("FunctionName", "unknown")

    @functools.wraps(run)
    def counted(func, config, event, request_id, started):
        result = run(func, config, event, request_id, started)
        ms = (time.time() - started) * 1000
        counters.invocation(name_of(config), int(config.get("MemorySize", 128)), ms, bool(result.get("error")))
        return result

    @functools.wraps(acquire)
    def acquire_or_refuse(func, config):
        while faults.throttles("lambda"):
            counters.throttled_invocation(name_of(config))
            if not _waits_for_capacity.get():
                return None, "account"
            time.sleep(_CAPACITY_S)
        return acquire(func, config)

    @functools.wraps(in_background)
    def wait_in_background(func, event):
        token = _waits_for_capacity.set(True)
        try:
            in_background(func, event)
        finally:
            _waits_for_capacity.reset(token)

    lambda_svc._execute_function_dispatch = counted
    lambda_svc._acquire_execution_slot = acquire_or_refuse
    lambda_svc.invoke_async_with_retry = wait_in_background


def watch_messages(counters: Counters, faults: Faults) -> None:
    """Every message that a rule of IoT Core or an event bus carries to a queue, a function or a state machine."""
    from ministack.services import eventbridge, iot

    def carried(carrier: str, deliver, where):
        @functools.wraps(deliver)
        def with_fate(*args):
            stream = f"{carrier}:{where(args)}"
            fate = faults.fate(carrier, stream)
            counters.message(stream, fate.copies, fate.copies > 0 and fate.delay_s > 0)
            if fate.copies == 0:
                log.info("Fault: a message of %s is dropped", stream)
            for _ in range(fate.copies):
                if fate.delay_s > 0:
                    _later(fate.delay_s, stream, deliver, args)
                else:
                    deliver(*args)

        return with_fate

    def last_of(index: int):
        return lambda args: str(args[index]).rsplit(":", 1)[-1].rsplit("/", 1)[-1]

    eventbridge._dispatch_to_sqs = carried("events", eventbridge._dispatch_to_sqs, last_of(0))
    eventbridge._dispatch_to_lambda = carried("events", eventbridge._dispatch_to_lambda, last_of(0))
    eventbridge._dispatch_to_stepfunctions = carried("events", eventbridge._dispatch_to_stepfunctions, last_of(0))
    iot._dispatch_rule_sqs = carried("iot", iot._dispatch_rule_sqs, lambda args: last_of(0)([args[3].get("queueUrl")]))
    iot._dispatch_rule_to_lambda = carried("iot", iot._dispatch_rule_to_lambda, last_of(2))


def _later(delay_s: float, stream: str, deliver, args) -> None:
    # Account and region of the message are in the context.
    context = contextvars.copy_context()

    def run() -> None:
        try:
            context.run(deliver, *args)
        except Exception as error:
            log.error("A delayed message of %s could not be delivered: %s", stream, error)

    timer = threading.Timer(delay_s, run)
    timer.daemon = True
    timer.start()


def watch_workflows(counters: Counters) -> None:
    """Executions and their steps, events of the buses, messages of devices."""
    from ministack.services import eventbridge, iot, stepfunctions

    start, enter = stepfunctions._start_execution, stepfunctions._add_event
    dispatch_event, publish = eventbridge._dispatch_event, iot.broker_publish

    @functools.wraps(start)
    def started(data):
        answer = start(data)
        if answer[0] < 400:
            counters.execution()
        return answer

    @functools.wraps(enter)
    def entered(execution, kind, *args, **kwargs):
        if kind.endswith("StateEntered"):
            counters.transition()
        return enter(execution, kind, *args, **kwargs)

    @functools.wraps(dispatch_event)
    def dispatched(event, *args, **kwargs):
        counters.event(len(json.dumps(event.get("Detail", ""), default=str)))
        return dispatch_event(event, *args, **kwargs)

    @functools.wraps(publish)
    async def published(account_id, region, topic, payload, *args, **kwargs):
        counters.published(len(payload or b""))
        return await publish(account_id, region, topic, payload, *args, **kwargs)

    class Steps(dict):
        """States of a branch or of a map's item: looking one up is entering it; such steps leave no event."""

        def get(self, name, *default):
            if name in self:
                counters.transition()
            return super().get(name, *default)

    inner = stepfunctions._run_sub_machine
    if "states" not in inspect.signature(inner).parameters:
        raise PatchError("MiniStack runs branches in another way now: look at watch_workflows.")

    @functools.wraps(inner)
    def inner_counted(states, *args, **kwargs):
        return inner(Steps(states), *args, **kwargs)

    stepfunctions._start_execution, stepfunctions._add_event = started, entered
    stepfunctions._run_sub_machine = inner_counted
    eventbridge._dispatch_event, iot.broker_publish = dispatched, published
