"""What MiniStack 1.5.33 does otherwise than AWS and the platform needs, one function each, with the reason.

Each has a test in test/local/aws that also says what happens without it, so that it goes when upstream mends it.
"""

import contextvars
import datetime
import functools
import inspect
import itertools
import json
import logging
import os
import re
import ssl
import time

log = logging.getLogger("launcher")


class PatchError(Exception):
    """The emulator's code is not what a patch was written for."""


def apply() -> None:
    """Applies every patch. Call before the app serves."""
    bind_mqtt_to_loopback()
    require_client_certificates()
    name_lambda_errors()
    retry_events_for_lambda()
    forward_sagemaker()
    run_inner_machines()
    stop_map_at_first_failure()
    keep_retention()
    keep_streams()
    know_thing_attributes()
    know_variables_of_devices()
    know_namespaces_of_metrics()
    say_why_executions_ended()
    name_versions_in_events()


def bind_mqtt_to_loopback() -> None:
    """The MQTT listener binds 0.0.0.0 whatever BIND_HOST says; nothing of the local plant may be reached from outside."""
    from ministack.services import iot

    upstream = iot._MtlsAcceptor
    start = iot._mtls_start_locked

    class Loop:
        """The running loop, except that it binds to the loopback address."""

        def __init__(self, loop):
            self._loop = loop

        def __getattr__(self, name):
            return getattr(self._loop, name)

        def create_server(self, factory, host, port):
            if factory is not upstream or host != "0.0.0.0":
                raise PatchError("MiniStack binds its MQTT listener in another way now: look at bind_mqtt_to_loopback.")
            return self._loop.create_server(factory, host="127.0.0.1", port=port)

    class Asyncio:
        """The asyncio module as _mtls_start_locked sees it."""

        def __init__(self, module):
            self._module = module

        def __getattr__(self, name):
            return getattr(self._module, name)

        def get_running_loop(self):
            return Loop(self._module.get_running_loop())

    async def start_on_loopback() -> None:
        # Upstream's code unchanged, run with its own globals but for the one name that leads to the bind.
        module = start.__globals__["asyncio"]
        start.__globals__["asyncio"] = Asyncio(module)
        try:
            await start()
        finally:
            start.__globals__["asyncio"] = module
            if iot._mtls_loop is not None and isinstance(iot._mtls_loop, Loop):
                iot._mtls_loop = iot._mtls_loop._loop

    iot._mtls_start_locked = start_on_loopback


def require_client_certificates() -> None:
    """Without a client certificate a connection is admitted, and its publishes fire rules; AWS ends the handshake."""
    from ministack.services import iot

    build = iot._mtls_build_ssl_context

    def build_and_require() -> ssl.SSLContext:
        context = build()
        if context.verify_mode != ssl.CERT_OPTIONAL:
            raise PatchError("MiniStack asks for certificates itself now: look at require_client_certificates.")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    iot._mtls_build_ssl_context = build_and_require


# What the Node worker sends for a failed handler, and the same with the error's own name.
_NODE_ERROR = 'status: "error", error: String(err.message || err), trace: err.stack || ""'
_NODE_ERROR_NAMED = _NODE_ERROR + ', errorType: (err && err.name) || "Error"'
_NODE_SYNC_ERROR = 'status: "error", error: e.message, trace: e.stack\n'
_NODE_SYNC_ERROR_NAMED = 'status: "error", error: e.message, trace: e.stack, errorType: e.name\n'


# What the emulator says when the process of a function is gone, and the name and words that AWS has for it.
_WORKER_GONE = re.compile(r"Worker process died|Worker process exited immediately|Worker returned no response|Broken pipe")
_EXIT_ERROR = "Runtime.ExitError"
_EXIT_MESSAGE = "RequestId: {id} Error: Runtime exited with error: signal: killed"


def name_lambda_errors() -> None:
    """A failed handler is always `Runtime.HandlerError`; on AWS it has the error's own name, and Retry and Catch go by it.
    A process that was killed is `Runtime.ExitError` there, a refusal for want of capacity `Lambda.TooManyRequestsException`.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    for old, new in ((_NODE_ERROR, _NODE_ERROR_NAMED), (_NODE_SYNC_ERROR, _NODE_SYNC_ERROR_NAMED)):
        if script.count(old) != 1:
            raise PatchError("MiniStack's Node worker reports errors in another way now: look at name_lambda_errors.")
        script = script.replace(old, new)
    lambda_runtime._NODEJS_WORKER_SCRIPT = script

    failure: contextvars.ContextVar[dict | None] = contextvars.ContextVar("lambda_failure", default=None)
    invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm

    @functools.wraps(invoke)
    def invoke_and_keep(self, *args, **kwargs):
        result = invoke(self, *args, **kwargs)
        if result.get("status") == "error" and _WORKER_GONE.search(str(result.get("error"))):
            result = {**result, "errorType": _EXIT_ERROR}
        failure.set(result if result.get("status") == "error" and result.get("errorType") else None)
        return result

    @functools.wraps(execute)
    def execute_and_name(*args, **kwargs):
        failure.set(None)
        answer = execute(*args, **kwargs)
        failed = failure.get()
        body = answer.get("body")
        if failed and answer.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            body["errorType"] = failed["errorType"]
            body["trace"] = str(failed.get("trace", "")).split("\n")
        if answer.get("error") and isinstance(body, dict) and _WORKER_GONE.search(str(body.get("errorMessage"))):
            # Also one that was killed while it started, which upstream tells by an exception of its own.
            body["errorType"] = _EXIT_ERROR
            body["errorMessage"] = _EXIT_MESSAGE.format(id=args[2] if len(args) > 2 else kwargs.get("request_id"))
            body["trace"] = []
        return answer

    refuse = lambda_svc._throttle_response

    @functools.wraps(refuse)
    def refuse_and_name(*args, **kwargs):
        answer = refuse(*args, **kwargs)
        answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
        answer["body"]["errorMessage"] = answer["body"]["message"]
        return answer

    lambda_runtime.Worker.invoke = invoke_and_keep
    lambda_svc._execute_function_warm = execute_and_name
    lambda_svc._throttle_response = refuse_and_name


def retry_events_for_lambda() -> None:
    """A function that an event bus or an IoT rule calls gets one try; on AWS these calls are asynchronous: three tries,
    then its destination for failures."""
    from ministack.services import eventbridge, iot, lambda_svc

    for name, caller in (
        ("_dispatch_to_lambda", eventbridge._dispatch_to_lambda),
        ("_dispatch_rule_to_lambda", iot._dispatch_rule_to_lambda),
    ):
        if "_execute_function_with_config_scope" not in _names_within(caller):
            raise PatchError(f"MiniStack's {name} calls functions in another way now: look at retry_events_for_lambda.")

    def from_bus(arn, payload) -> None:
        try:
            event = json.loads(payload)
        except (json.JSONDecodeError, TypeError):
            event = {"body": payload}
        func, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not func or not config:
            log.warning("EventBridge: function %s not found", name)
            return
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)

    def from_rule(account_id, region, function_arn, event) -> None:
        func, config, name = lambda_svc._get_func_record_for_ref_in_scope(
            function_arn, account_id=account_id, region=region
        )
        if not func or not config:
            log.warning("IoT rule: function %s not found", name)
            return
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)

    eventbridge._dispatch_to_lambda = from_bus
    iot._dispatch_rule_to_lambda = from_rule


# What a job's operation is described by, and the field and values that say it has ended.
_SAGEMAKER_JOBS = {
    "createTrainingJob": ("create_training_job", "describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    "createProcessingJob": ("create_processing_job", "describe_processing_job", "ProcessingJobName", "ProcessingJobStatus"),
}
_ENDED = ("Completed", "Failed", "Stopped")
_SAGEMAKER_OWN_ERRORS = ("ResourceInUse", "ResourceNotFound", "ResourceLimitExceeded", "ConflictException")
_POLL_S = 1.0
_POLL_FAILURES = 30


def forward_sagemaker() -> None:
    """Step Functions has no SageMaker integration: create and .sync go to the stand-in at AWS_ENDPOINT_URL_SAGEMAKER."""
    from ministack.services import stepfunctions

    for action in _SAGEMAKER_JOBS:
        key = f"arn:aws:states:::sagemaker:{action}"
        if key in stepfunctions._SERVICE_DISPATCH:
            raise PatchError(f"MiniStack has {key} of its own now: look at forward_sagemaker.")
        stepfunctions._SERVICE_DISPATCH[key] = functools.partial(_run_sagemaker_job, action)


def _run_sagemaker_job(action: str, resource: str, request: dict):
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
    from ministack.services.stepfunctions import _ExecutionError

    create, describe, name_field, status_field = _SAGEMAKER_JOBS[action]
    client = _sagemaker_client()
    try:
        created = getattr(client, create)(**request)
    except ParamValidationError as error:
        raise _ExecutionError("States.Runtime", f"The parameters of {resource} are not valid: {error}") from error
    except ClientError as error:
        raise _ExecutionError(*_sagemaker_error(error)) from error
    except BotoCoreError as error:
        raise _ExecutionError("SageMaker.SdkClientException", str(error)) from error
    created.pop("ResponseMetadata", None)
    if not resource.endswith(".sync"):
        return created

    failures = 0
    while True:
        time.sleep(_POLL_S)
        try:
            job = getattr(client, describe)(**{name_field: request[name_field]})
        except ClientError as error:
            raise _ExecutionError(*_sagemaker_error(error)) from error
        except BotoCoreError as error:
            failures += 1
            if failures >= _POLL_FAILURES:
                raise _ExecutionError("SageMaker.SdkClientException", str(error)) from error
            continue
        failures = 0
        job.pop("ResponseMetadata", None)
        described = json.loads(json.dumps(job, default=_epoch_ms))
        if job[status_field] == "Completed":
            return described
        if job[status_field] in _ENDED:
            # What Step Functions says of a job that ended otherwise: the description is the cause.
            raise _ExecutionError("States.TaskFailed", json.dumps(described))


def _sagemaker_client():
    import botocore.session
    from botocore.config import Config
    from ministack.core.responses import get_region
    from ministack.services.stepfunctions import _ExecutionError

    endpoint = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER")
    if not endpoint:
        raise _ExecutionError(
            "SageMaker.SdkClientException",
            "The local AWS was started without a SageMaker stand-in. Start it with one (sagemakerUrl).",
        )
    return botocore.session.Session().create_client(
        "sagemaker",
        region_name=get_region(),
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 2, "mode": "standard"}, connect_timeout=5, read_timeout=30),
    )


def _sagemaker_error(error) -> tuple[str, str]:
    code = error.response.get("Error", {}).get("Code", "Unknown")
    message = error.response.get("Error", {}).get("Message", str(error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    own = code if code.endswith("Exception") else f"{code}Exception"
    name = own if code in _SAGEMAKER_OWN_ERRORS else "AmazonSageMakerException"
    return f"SageMaker.{name}", f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code})"


def _epoch_ms(value):
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    raise TypeError(f"{type(value).__name__} does not belong into a job's description")


def run_inner_machines() -> None:
    """startExecution.sync passes on the inner error, takes a name twice and announces no end; AWS does none of it."""
    from ministack.services import stepfunctions

    if "_start_sync_execution" not in stepfunctions._invoke_nested_start_execution_sync.__code__.co_names:
        raise PatchError("MiniStack runs inner state machines in another way now: look at run_inner_machines.")
    stepfunctions._invoke_nested_start_execution_sync = _run_inner_machine


def _run_inner_machine(resource: str, request: dict):
    from ministack.services import stepfunctions

    status, _, body = stepfunctions._start_execution(stepfunctions._nested_start_execution_request(request))
    started = json.loads(body)
    if status >= 400:
        code = str(started.get("__type", "AWSStepFunctionsException")).rsplit("#", 1)[-1]
        name = code if code.endswith("Exception") else f"{code}Exception"
        raise stepfunctions._ExecutionError(f"StepFunctions.{name}", started.get("message", ""))
    execution = stepfunctions._executions[started["executionArn"]]
    while execution["status"] == "RUNNING":
        time.sleep(_POLL_INNER_S)
    described = {
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "StartDate": _iso_ms(execution["startDate"]),
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": _iso_ms(execution["stopDate"]),
    }
    if execution["status"] != "SUCCEEDED":
        for field in ("error", "cause"):
            if execution.get(field):
                described[field.capitalize()] = execution[field]
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    # Only the second version of the integration says the output as JSON instead of as text.
    output = execution["output"]
    return {
        **described,
        "Output": json.loads(output) if resource.endswith(".sync:2") else output,
        "OutputDetails": {"Included": True},
    }


_POLL_INNER_S = 0.1


def _iso_ms(stamp: str) -> int:
    return int(datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)


def stop_map_at_first_failure() -> None:
    """A map runs all its items though one has failed: a release would go on to the next ring after one said no."""
    from ministack.services import stepfunctions

    inner_map, inner_item = stepfunctions._run_map_items, stepfunctions._run_sub_machine
    if "futures_wait" not in inner_map.__code__.co_names or "_run_sub_machine" not in _names_within(inner_map):
        raise PatchError("MiniStack runs the items of a map in another way now: look at stop_map_at_first_failure.")

    @functools.wraps(inner_map)
    def run_map_items(state_def, raw_input, execution, ctx):
        # The token goes down to the items and no further: what fails and is caught inside an item is its own matter.
        token = f"map-{next(_map_tokens)}"
        try:
            return inner_map(state_def, raw_input, execution, {**ctx, _MAP_TOKEN: token})
        finally:
            _failed_maps.discard(token)

    @functools.wraps(inner_item)
    def run_sub_machine(states, start, data, execution, ctx, *args, **kwargs):
        token = ctx.pop(_MAP_TOKEN, None) if isinstance(ctx, dict) else None
        if token in _failed_maps:
            raise stepfunctions._ExecutionError("States.ItemNotStarted", "an earlier item of this map failed")
        try:
            return inner_item(states, start, data, execution, ctx, *args, **kwargs)
        except Exception:
            if token is not None:
                _failed_maps.add(token)
            raise

    stepfunctions._run_map_items, stepfunctions._run_sub_machine = run_map_items, run_sub_machine


_MAP_TOKEN = "millwright:map"
_map_tokens = itertools.count()
_failed_maps: set = set()


def _names_within(function) -> set:
    """Names that a function and the functions inside it use."""
    codes = [function.__code__]
    names: set = set()
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [c for c in code.co_consts if hasattr(c, "co_names")]
    return names


def keep_retention() -> None:
    """Object Lock retention and legal holds are lost at a restart, and with them what makes evidence evidence."""
    from ministack.services import s3

    for name, store in (("object_retention", s3._object_retention), ("object_legal_hold", s3._object_legal_hold)):
        if name in s3._PERSISTED_BUCKET_DICTS:
            raise PatchError(f"MiniStack keeps {name} itself now: look at keep_retention.")
        s3._PERSISTED_BUCKET_DICTS[name] = store


# The newest records of each table's stream that are kept; far more than a consumer may lag behind here.
_STREAM_KEPT = 2000


def keep_streams() -> None:
    """A table's stream is lost at a restart while its readers' positions are kept, so they wait for ever: keep both."""
    from ministack import app
    from ministack.services import dynamodb, lambda_svc

    get_state = dynamodb.get_state
    load_state = dynamodb.load_persisted_state
    load_all = app._load_persisted_state

    def get_state_with_streams():
        state = get_state()
        records = type(dynamodb._stream_records)()
        trimmed = type(dynamodb._stream_trimmed)()
        for scope, of_table in list(dynamodb._stream_records._data.items()):
            kept = list(of_table)
            dropped = max(0, len(kept) - _STREAM_KEPT)
            records._data[scope] = kept[dropped:]
            trimmed._data[scope] = dynamodb._stream_trimmed._data.get(scope, 0) + dropped
        state["millwright_streams"] = {
            "records": records,
            "trimmed": trimmed,
            "sequence": dynamodb._stream_seq_counter,
        }
        return state

    def load_state_with_streams(data):
        load_state(data)
        streams = data.get("millwright_streams")
        if streams:
            dynamodb._stream_records._data.update(streams["records"]._data)
            dynamodb._stream_trimmed._data.update(streams["trimmed"]._data)
            dynamodb._stream_seq_counter = max(dynamodb._stream_seq_counter, streams["sequence"])

    def load_all_and_clamp():
        load_all()
        # After a kill the two files are of different moments: a reader must not be ahead of its stream.
        for (account, region, esm), position in list(lambda_svc._dynamodb_stream_positions._data.items()):
            mapping = lambda_svc._esms._data.get((account, region, esm))
            if mapping is None or "/stream/" not in mapping.get("EventSourceArn", ""):
                continue
            table = mapping["EventSourceArn"].split("/stream/")[0].split("/")[-1]
            end = dynamodb.stream_end_position(table, account_id=account, region=region)
            lambda_svc._dynamodb_stream_positions._data[(account, region, esm)] = min(position, end)

    dynamodb.get_state = get_state_with_streams
    dynamodb.load_persisted_state = load_state_with_streams
    app._load_persisted_state = load_all_and_clamp


def know_thing_attributes() -> None:
    """An IoT policy may name `${iot:Connection.Thing.Attributes[x]}`; MiniStack leaves it as text, which denies all."""
    from ministack.core.responses import request_scope
    from ministack.services import iot

    if iot._POLICY_VARIABLE_RE.pattern != r"\$\{(iot:[A-Za-z.]+)\}":
        raise PatchError("MiniStack reads policy variables in another way now: look at know_thing_attributes.")
    iot._POLICY_VARIABLE_RE = re.compile(r"\$\{(iot:[A-Za-z.]+(?:\[[A-Za-z0-9_.,@/:#-]+\])?)\}")
    upstream = iot._mqtt_policy_context

    def with_attributes(account_id: str, region: str, certificate_id: str, client_id: str) -> dict:
        context = upstream(account_id, region, certificate_id, client_id)
        if "iot:connection.thing.thingname" in context:
            with request_scope(account_id, region):
                attributes = dict((iot._things.get(client_id) or {}).get("attributes") or {})
            for name, value in attributes.items():
                context[f"iot:connection.thing.attributes[{name.lower()}]"] = value
        return context

    iot._mqtt_policy_context = with_attributes


def know_variables_of_devices() -> None:
    """Policies of roles may name `${credentials-iot:ThingName}`, the thing that the credential provider gave a session to.
    MiniStack has no credential provider and puts no variable into a policy; a simulated device calls its session like
    its thing."""
    from ministack.core import iam_evaluator

    upstream = iam_evaluator.resolve_principal
    if "${" in inspect.getsource(iam_evaluator):
        raise PatchError("MiniStack knows variables in policies now: look at know_variables_of_devices.")

    def resolve_principal(*arguments, **named):
        principal = upstream(*arguments, **named)
        if getattr(principal, "type", None) != "AssumedRole":
            return principal
        thing = principal.arn.rsplit("/", 1)[-1]
        for statement in itertools.chain(*(principal.policies or [])):
            statement.resources = [r.replace("${credentials-iot:ThingName}", thing) for r in statement.resources]
        return principal

    iam_evaluator.resolve_principal = resolve_principal


def know_namespaces_of_metrics() -> None:
    """Whoever may put metrics of one namespace (`cloudwatch:namespace`) is denied all: the request's own is not looked at."""
    from ministack.core import iam_actions

    upstream = iam_actions.request_tag_context
    if "cloudwatch:namespace" in inspect.getsource(iam_actions):
        raise PatchError("MiniStack knows the namespace of metrics now: look at know_namespaces_of_metrics.")

    def context_of_request(service, iam_action, body, params):
        context = upstream(service, iam_action, body, params)
        if iam_action == "cloudwatch:PutMetricData" and body[:1] == b"{":
            context["cloudwatch:namespace"] = str(json.loads(body).get("Namespace", ""))
        return context

    iam_actions.request_tag_context = context_of_request


def say_why_executions_ended() -> None:
    """Executions that ran at the last stop end at the next start; upstream neither says why nor tells anyone."""
    from ministack.services import stepfunctions

    restore = stepfunctions._restore_state
    if "Execution was running when service restarted" not in restore.__code__.co_consts:
        raise PatchError("MiniStack ends interrupted executions in another way now: look at say_why_executions_ended.")

    def restore_state(data):
        restore(data)
        for execution in stepfunctions._executions.all_values():
            if execution.get("error") == "States.ServiceRestart":
                execution["error"] = "PlantStopped"
                execution["cause"] = "the local plant was stopped while this ran"
                _interrupted.append(execution)

    stepfunctions._restore_state = restore_state


def name_versions_in_events() -> None:
    """S3 tells EventBridge which version of an object was written; upstream tells only queues, topics and functions."""
    from ministack.services import eventbridge, s3

    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event
    if "version_id" not in inspect.signature(fire).parameters or "_dispatch_event" not in fire.__code__.co_names:
        raise PatchError("MiniStack tells of objects in another way now: look at name_versions_in_events.")
    version = contextvars.ContextVar("version", default=None)

    @functools.wraps(fire)
    def fire_with_version(*args, **kwargs):
        token = version.set(inspect.signature(fire).bind(*args, **kwargs).arguments.get("version_id"))
        try:
            fire(*args, **kwargs)
        finally:
            version.reset(token)

    @functools.wraps(dispatch)
    def dispatch_with_version(event, *args, **kwargs):
        if event.get("Source") == "aws.s3" and version.get():
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version.get()
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *args, **kwargs)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


_interrupted: list[dict] = []


def tell_interrupted_executions() -> None:
    """Announces the ends that `say_why_executions_ended` made. Call when everything is loaded and serves."""
    from ministack.services import stepfunctions

    while _interrupted:
        stepfunctions._emit_execution_status_event(_interrupted.pop())
