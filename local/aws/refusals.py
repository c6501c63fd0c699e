"""How each service says that it is asked too often; SDKs try these again by themselves."""

import json
from xml.sax.saxutils import escape

# Service (as in IAM actions): HTTP status, error code, message. From the "Errors" of each service's API reference.
_JSON = {
    "dynamodb": (
        400,
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    ),
    "states": (400, "ThrottlingException", "Rate exceeded"),
    "events": (400, "ThrottlingException", "Rate exceeded"),
    "sqs": (400, "com.amazonaws.sqs#RequestThrottled", "The request was denied due to request throttling."),
    "kms": (400, "ThrottlingException", "You have exceeded the rate at which you may call KMS."),
    "lambda": (429, "TooManyRequestsException", "Rate exceeded"),
    "iot": (429, "ThrottlingException", "Rate exceeded"),
}


def refusal(service: str, action: str, request_id: str) -> tuple[int, dict, bytes]:
    """Status, headers and body of a throttled request. @raises KeyError for a service that is not known here."""
    ids = {"x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    if service == "s3":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code>'
            "<Message>Please reduce your request rate.</Message>"
            f"<RequestId>{escape(request_id)}</RequestId></Error>"
        )
        return 503, {**ids, "Content-Type": "application/xml"}, body.encode()
    if service == "sns":
        body = (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
            f"<Code>Throttled</Code><Message>Rate exceeded for {escape(action)}</Message></Error>"
            f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
        )
        return 429, {**ids, "Content-Type": "text/xml"}, body.encode()
    status, code, message = _JSON[service]
    short = code.rsplit("#", 1)[-1]
    headers = {**ids, "Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": short}
    if service == "sqs":
        headers["x-amzn-query-error"] = "RequestThrottled;Sender"
    return status, headers, json.dumps({"__type": code, "message": message}).encode()
