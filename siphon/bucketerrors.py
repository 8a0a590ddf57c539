"""What a bucket's answer means, in a line; the library's texts are pages, with keys in their URLs."""

import re

from siphon.errors import SiphonError

_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})([ \w-]*)")
_QUERY = re.compile(r"\?[^\s'\"]*")  # of Azure a signature
_FIRST = re.compile(r"^(?:Generic \w+ error: )?(.*?)(?:: *<\?xml.*)?$", re.MULTILINE)

_CREDENTIALS = "credentials: the usual variables, a profile, or keys in siphon.yml (docs/buckets.md)"
# Parts of an answer, and what they say; the first that is found counts.
_MEANINGS = (
    ("NoSuchBucket", "there is no such bucket"),
    ("ContainerNotFound", "there is no such container"),
    ("InvalidAccessKeyId", f"the access key is not known there; {_CREDENTIALS}"),
    ("SignatureDoesNotMatch", f"the secret key is wrong; {_CREDENTIALS}"),
    ("ExpiredToken", f"the session token has expired; {_CREDENTIALS}"),
    ("AuthenticationFailed", f"the credentials are wrong; {_CREDENTIALS}"),
    ("169.254.169.254", f"no {_CREDENTIALS}"),
    ("metadata.google.internal", f"no {_CREDENTIALS}"),
    (
        "Account must be specified",
        "name 'account', or set AZURE_STORAGE_ACCOUNT_NAME",
    ),
    ("PermanentRedirect", "it lies in another region; name it with 'region'"),
    ("AuthorizationHeaderMalformed", "it lies in another region; name it with 'region'"),
    ("URL scheme is not allowed", "the endpoint is not https"),
    ("InvalidRange", "it is shorter than it was"),
    ("ConnectionRefused", "nobody answers there: connection refused"),
    ("dns error", "no such host name"),
    ("TimedOut", "no answer in time"),
    ("InvalidCertificate", "its TLS certificate is not to be trusted"),
    ("error sending request", "cannot connect"),
)


def reason(error: Exception) -> str:
    """Why it failed, without anything secret."""
    if isinstance(error, SiphonError):
        return str(error)
    whole = str(error)
    code, status = _CODE.search(whole), _STATUS.search(whole)
    said = code[1] if code else f"{status[1]}{status[2]}".strip() if status else ""
    for sign, meaning in _MEANINGS:
        if sign in whole:
            return f"{meaning} ({said})" if said else meaning
    if said in ("AccessDenied", "403 Forbidden", "401 Unauthorized"):
        return f"access denied ({said}); {_CREDENTIALS}"
    if said:
        return f"it answers {said}"
    first = _FIRST.match(whole)
    return _QUERY.sub("", first[1] if first else type(error).__name__)[:300]
