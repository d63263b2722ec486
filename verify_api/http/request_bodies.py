"""What requests look like to readers of the OpenAPI document; `verify_api.http.schemas` checks them.

The patterns here are those that requests are checked by, so that the document is true.
"""

from __future__ import annotations

from typing import Any

from verify_api.documents import MAX_PRESENTATION_CHARACTERS

WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
NONCE = r"^[A-Za-z0-9_-]{1,64}$"
LICENCE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,160}$"
TOKEN = r"^[\x21-\x7e]+$"  # noqa: S105 - a pattern
MOMENT = (
    r"^(19|20|21)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)
DIGEST = r"^([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$"
THUMBPRINT = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_COMMON: dict[str, Any] = {
    "purpose": {
        "type": "string",
        "pattern": WORD,
        "description": "用途；部门核验必填，须在授权之内 / Purpose; departments name one that is granted",
        "examples": ["market-entry"],
    },
    "matter": {
        "type": "string",
        "pattern": WORD,
        "description": "事项编码；部门核验必填 / Code of the matter; needed from departments",
        "examples": ["440103001000"],
    },
    "claims": {
        "type": "array",
        "items": {"type": "string", "pattern": WORD},
        "maxItems": 64,
        "description": "只需要的字段，不得超出授权 / Only these fields, all within the grant",
    },
    "as_of": {
        "type": "string",
        "format": "date-time",
        "pattern": MOMENT,
        "description": "查询该时点的证照状态 / The moment that the question is about",
    },
    "known_at": {
        "type": "string",
        "format": "date-time",
        "pattern": MOMENT,
        "description": "以该时点已登记的事实为准 / Facts recorded up to this moment count",
    },
}


def _variant(title: str, required: list[str], **own: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": {**own, **_COMMON},
        "required": required,
        "additionalProperties": False,
    }


_NONCE_FIELD = {
    "type": "string",
    "pattern": NONCE,
    "description": "POST /v1/nonces 取得的随机数 / The nonce from POST /v1/nonces",
}
_BY_PRESENTATION = _variant(
    "凭证出示 / A presentation",
    ["presentation", "nonce"],
    presentation={
        "type": "string",
        "pattern": TOKEN,
        "maxLength": MAX_PRESENTATION_CHARACTERS,
        "description": "SD-JWT VC 与密钥绑定 / SD-JWT VC with key binding",
    },
    nonce=_NONCE_FIELD,
)
_SESSION_TEXT = {"type": "string", "pattern": TOKEN, "maxLength": 2048}
_KEY_OF_SESSION = {
    "type": "string",
    "pattern": THUMBPRINT,
    "description": (
        "答复加密所用公钥的指纹（RFC 7638） / Thumbprint (RFC 7638) of the key it was encrypted to"
    ),
}
_BY_MDOC = _variant(
    "mdoc 出示 / An mdoc that was shown",
    ["presentation", "nonce", "session"],
    presentation={
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]+$",
        "maxLength": MAX_PRESENTATION_CHARACTERS,
        "description": "DeviceResponse，base64url / DeviceResponse in base64url",
    },
    nonce=_NONCE_FIELD,
    session={
        "description": (
            "本部门请求的 OpenID4VP 会话（B.2.6）：地址属于本部门，nonce 由本服务发给 / The department's own "
            "OpenID4VP session (B.2.6): at its own address, with a nonce from here"
        ),
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "client_id": _SESSION_TEXT,
                    "response_uri": _SESSION_TEXT,
                    "encryption_thumbprint": _KEY_OF_SESSION,
                },
                "required": ["client_id", "response_uri"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"origin": _SESSION_TEXT, "encryption_thumbprint": _KEY_OF_SESSION},
                "required": ["origin"],
                "additionalProperties": False,
            },
        ],
    },
)
_BY_NUMBER = _variant(
    "证照标识或编号 / Identifier or number",
    ["licence"],
    licence={
        "type": "string",
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,160}$",
        "description": "电子证照标识（GB/T 36904）或证面编号 / Licence identifier, or the number on paper",
    },
    licence_type={
        "type": "string",
        "pattern": WORD,
        "description": "编号不唯一时的证照类型 / The type, where a number is not unique",
    },
)


def _by_document(schema: dict[str, Any]) -> dict[str, Any]:
    described = {**schema, "description": "PDF 文件 / A PDF file"}
    return _variant("文件 / A file", ["document"], document=described, nonce=_NONCE_FIELD)


def _signature(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "description": "CMS 签名（.p7s，CAdES） / A CMS signature (.p7s, CAdES)"}


def _by_signature(schema: dict[str, Any]) -> dict[str, Any]:
    return _variant(
        "文件与旁签 / A file and the signature beside it",
        ["signature"],
        signature=_signature(schema),
        document={
            **schema,
            "description": "被签名的文件；签名内含原文时可省略 / What is signed; may be carried inside",
        },
    )


def _by_digest(schema: dict[str, Any]) -> dict[str, Any]:
    return _variant(
        "摘要与旁签 / A digest and the signature beside it",
        ["signature", "content_digest"],
        signature=_signature(schema),
        content_digest={
            "type": "string",
            "pattern": DIGEST,
            "description": (
                "不提交原文时，原文的摘要（十六进制，与签名所用摘要算法一致） / "
                "The content's digest in hex, by the signature's own hash, instead of the content"
            ),
        },
    )


_IN_BASE64 = {"type": "string", "contentEncoding": "base64", "pattern": BASE64}
_AS_FILE = {"type": "string", "format": "binary"}
REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    _by_document(_IN_BASE64),
                    _by_signature(_IN_BASE64),
                    _by_digest(_IN_BASE64),
                    _BY_PRESENTATION,
                    _BY_MDOC,
                    _BY_NUMBER,
                ]
            },
            "examples": {"number": {"value": {"licence": "JY21201990000001"}}},
        },
        "multipart/form-data": {
            "schema": {
                "oneOf": [
                    _by_document(_AS_FILE),
                    _by_signature(_AS_FILE),
                    _by_digest(_AS_FILE),
                ]
            },
            "encoding": {
                "document": {"contentType": "application/pdf"},
                "claims": {"style": "form", "explode": True},
            },
        },
    },
}

TOKEN_BODY = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["grant_type", "client_assertion_type", "client_assertion"],
                "properties": {
                    "grant_type": {"type": "string", "const": "client_credentials"},
                    "client_assertion_type": {
                        "type": "string",
                        "const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    },
                    "client_assertion": {
                        "type": "string",
                        "description": "RFC 7523 私钥签名断言 / private_key_jwt (RFC 7523)",
                    },
                    "scope": {"type": "string", "const": "verify"},
                },
            }
        }
    },
}
