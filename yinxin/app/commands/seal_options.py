"""The options that sealing commands share: the key, the face and its place, time-stamp authorities."""

from __future__ import annotations

from pathlib import Path

import click

from yinxin.app.phrases import phrase

signer_option = click.option("--key", help=phrase("签名器 URI", "signer URI"))
face_option = click.option(
    "--face",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("印模图片（PNG，42 毫米见方）", "picture of the seal face (PNG, 42 mm square)"),
)
invisible_option = click.option("--invisible", is_flag=True, help=phrase("不显示印模", "show no seal face"))
page_option = click.option(
    "--page",
    type=int,
    default=-1,
    show_default=True,
    help=phrase("页码，从 0 起；-1 为末页", "page, from 0; -1 is the last"),
)
place_option = click.option(
    "--at",
    nargs=2,
    type=float,
    help=phrase("印模左下角位置（点）", "lower left corner of the face, in points"),
)
tsa_option = click.option(
    "--tsa",
    "tsas",
    multiple=True,
    help=phrase(
        "时间戳服务 URL；可重复，前一个不可用时依次改用后一个",
        "URL of a time-stamp authority; again for others, asked in order when one fails",
    ),
)
private_option = click.option(
    "--allow-private",
    multiple=True,
    metavar="HOST:PORT",
    help=phrase("允许访问的内网地址", "private address that may be reached"),
)
