"""moto, with links checked as Amazon's own library signs them: moto checks only headers, so it gets them signed instead."""

import datetime
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import server
from moto.iam.models import iam_backends


def secret_of(access_key):
    for regions in iam_backends.values():
        for backend in regions.values():
            for user in backend.users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key:
                        return key.secret_access_key
    return None


def check(environ):
    """Says what is wrong with a link, or makes a request with signed headers of one that is good."""
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if "X-Amz-Signature" not in query:
        return None
    access_key, _, region, service, _ = query["X-Amz-Credential"].split("/")
    secret = secret_of(access_key)
    if secret is None:
        return "InvalidAccessKeyId"
    path = environ["REQUEST_URI"].split("?")[0]
    method, url = environ["REQUEST_METHOD"], f"http://{environ['HTTP_HOST']}{path}"
    request = AWSRequest(method, url)
    request.context["timestamp"] = query["X-Amz-Date"]
    valid = int(query["X-Amz-Expires"])
    signer = S3SigV4QueryAuth(Credentials(access_key, secret), service, region, valid)
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    if signer.signature(text, request) != query["X-Amz-Signature"]:
        return "SignatureDoesNotMatch"
    signed = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if now >= signed + datetime.timedelta(seconds=valid):
        return "AccessDenied"
    request = AWSRequest(method, url)
    S3SigV4Auth(Credentials(access_key, secret), service, region).add_auth(request)
    for name, value in request.headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    environ["QUERY_STRING"] = ""
    return None


class Checking(server.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        code = check(environ)
        if code is None:
            return super().__call__(environ, start_response)
        body = f"<Error><Code>{code}</Code></Error>".encode()
        head = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", head)
        return [body]


server.DomainDispatcherApplication = Checking
server.main()
