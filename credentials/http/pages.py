"""The pages that people see while a licence goes to their wallet: plain HTML, both languages, no script.

Everything that is not ours is escaped; the policy lets nothing in from elsewhere.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

import segno

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credentials.oid4vci.authorization import Asked
    from yinxin.base.text import Text

_STYLE = """
body{font:1.1rem/1.6 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:36rem;color:#111}
body{background:#fff}
h1{font-size:1.5rem}svg{width:min(20rem,100%);height:auto;background:#fff}
label,input,button,.button{display:block;margin:.6rem 0;font-size:1.1rem}
input{padding:.5rem;width:100%;box-sizing:border-box}
button,.button{padding:.6rem 1.2rem;border:2px solid #0b5394;border-radius:.3rem}
button,.button{background:#0b5394;color:#fff}
button.no{background:#fff;color:#0b5394}.error{color:#a00000;font-weight:bold}[lang=en]{color:#444}
.button{display:inline-block;text-decoration:none}
"""
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def headers(*, form_target: str | None = None) -> dict[str, str]:
    """The headers of a page. `form_target`: where its form's answer may lead beside ourselves."""
    form = f"form-action 'self' {form_target}" if form_target else "form-action 'none'"
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; {form}; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def offer_page(link: str, names: Iterable[Text], *, has_tx_code: bool) -> str:
    """The offer as a QR code and as a link."""
    code = segno.make(link, error="m").svg_inline(scale=4, border=4, omitsize=True, title="QR")
    items = "".join(f"<li>{_both(name)}</li>" for name in names)
    told = ""
    if has_tx_code:
        told = _paragraph(
            "钱包会要求输入验证码，验证码由发证机关另行告知。",
            "The wallet asks for a code: the authority gives it to you separately.",
        )
    return _page(
        "领取电子证照",
        "Receive your licence",
        f"<ul>{items}</ul>"
        + _paragraph("请用手机钱包扫描二维码。", "Scan this code with your wallet.")
        + code
        + f'<p><a class="button" href="{escape(link)}">'
        + "在本机钱包中打开 / Open in a wallet on this device</a></p>"
        + told
        + _paragraph("请勿向他人展示此页。", "Show this page to nobody else."),
    )


def sign_in_page(asked: Asked, names: Iterable[Text], *, action: str, is_wrong: bool) -> str:
    """Who asks for what, and the form that answers: sign in and agree, or refuse."""
    items = "".join(f"<li>{_both(name)}</li>" for name in names)
    wrong = '<div class="error" role="alert">{}</div>'.format(
        _paragraph(
            f"登录码不正确或已失效，还可尝试 {asked.tries_left} 次。",
            f"The code is wrong or was used; {asked.tries_left} tries left.",
        )
    )
    return _page(
        "向钱包发放电子证照",
        "Send your licences to a wallet",
        _paragraph(f"钱包“{asked.client_id}”申请领取：", f"The wallet “{asked.client_id}” asks for:")
        + f"<ul>{items}</ul>"
        + _paragraph(f"结果将返回：{asked.redirect_uri}", f"The answer goes to: {asked.redirect_uri}")
        + (wrong if is_wrong else "")
        + f'<form method="post" action="{escape(action)}" autocomplete="off">'
        f'<input type="hidden" name="client_id" value="{escape(asked.client_id)}">'
        f'<input type="hidden" name="request_uri" value="{escape(asked.request_uri)}">'
        '<label for="code">窗口提供的一次性登录码 '
        '<span lang="en">One-time code from the counter</span></label>'
        '<input id="code" name="login_code" autocomplete="one-time-code" maxlength="40" spellcheck="false">'
        '<button name="decision" value="approve">同意发放 <span>/ Agree</span></button>'
        '<button name="decision" value="refuse" class="no">拒绝 <span>/ Refuse</span></button></form>',
    )


def problem_page() -> str:
    """A request that leads nowhere; nothing of it is repeated."""
    return _page(
        "请求无效",
        "This request is not valid",
        _paragraph("请回到钱包重新开始。", "Go back to your wallet and start again."),
    )


def _both(text: Text) -> str:
    return f'<span lang="zh-CN">{escape(text.zh)}</span> <span lang="en">{escape(text.en)}</span>'


def _paragraph(zh: str, en: str) -> str:
    return f'<p lang="zh-CN">{escape(zh)}</p><p lang="en">{escape(en)}</p>'


def _page(zh: str, en: str, body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(zh)} / {escape(en)}</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(zh)} "
        f'<span lang="en">{escape(en)}</span></h1>{body}</main></body></html>'
    )
