"""Synthetic applicants and their applications, for the demo, the tests and trying out a catalogue.

People, companies, places and numbers are made up; check digits are right, and the region 120199 is nobody's.
`applications_csv` mixes all built-in kinds and has faulty rows, each faulty in another way.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from functools import cache

from credentials.licence import Agency
from yinxin.base.identifiers import citizen_check_character, credit_check_character
from yinxin.base.text import Text

REGION = "120199"
AGENCY = Agency(
    Text("津城区行政审批局", "Jincheng District Administrative Approval Bureau"), "1112010090000201XF"
)
_PEOPLE = [
    "王晓梅",
    "李明华",
    "张建国",
    "赵欣怡",
    "孙立新",
    "周海燕",
    "吴志强",
    "郑雅琴",
    "冯俊杰",
    "陈思远",
    "褚文静",
    "卫国平",
    "蒋丽娜",
    "沈一鸣",
    "韩雪松",
    "杨春花",
    "朱永年",
    "秦若兰",
    "尤大伟",
    "许静宜",
]
_COMPANIES = [
    "海河糕点",
    "云栖宾馆",
    "安达运输",
    "古文化街茶社",
    "城市建设",
    "三岔口餐饮",
    "津门老味道",
    "南开食品",
    "翠竹园物业",
    "望海楼酒店",
    "鼓楼文具",
    "北塘海鲜",
    "五大道咖啡",
    "文华印务",
    "蓝鲸游泳馆",
    "金钢桥机械",
]
_STREETS = ["海河东路", "古文化街", "滨河路", "学苑路", "文华道", "鼓楼南街", "望海楼路", "金钢桥大街"]
_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714


def citizen_number(index: int, *, born: date = date(1985, 6, 12), female: bool = False) -> str:
    """A made-up citizen number with the right check character."""
    order = index * 2 % 998 + (2 if female else 1)
    body = f"{REGION}{born:%Y%m%d}{order:03}"
    return body + citizen_check_character(body)


def credit_code(index: int) -> str:
    """A made-up company's unified social credit code; both its check characters are right."""
    organisation = f"9{index % 10_000_000:07}"
    total = sum(int(digit) * weight for digit, weight in zip(organisation, _WEIGHTS, strict=True))
    body = f"91{REGION}{organisation}{'0123456789X'[-total % 11]}"
    return body + credit_check_character(body)


def person(index: int) -> dict[str, str]:
    """A made-up person: `name`, `sex` (男 or 女), `born` and `citizen_number`."""
    born = date(1962, 3, 5) + timedelta(days=index * 397 % 14_000)
    female = index % 2 == 0
    number = citizen_number(index, born=born, female=female)
    sex = "女" if female else "男"
    return {
        "name": _PEOPLE[index % len(_PEOPLE)],
        "sex": sex,
        "born": born.isoformat(),
        "citizen_number": number,
    }


def company(index: int) -> dict[str, str]:
    """A made-up company: `name`, `credit_code`, `address` and its `legal_representative`."""
    name = f"津城{_COMPANIES[index % len(_COMPANIES)]}有限公司"
    street = _STREETS[index % len(_STREETS)]
    return {
        "name": name,
        "credit_code": credit_code(300 + index),
        "address": f"津城市津城区{street}{index * 7 % 180 + 1}号{index % 6 + 1}层",
        "legal_representative": _PEOPLE[index * 3 % len(_PEOPLE)],
    }


def application(type_code: str, index: int = 0) -> dict[str, str]:
    """Claims for one application of a built-in kind; `index` says which applicant."""
    return _MAKERS[type_code](index)


def applications(count: int = 40) -> list[tuple[str, dict[str, str]]]:
    """`count` faultless applications, the kinds in turn."""
    kinds = list(_MAKERS)
    return [(kinds[i % len(kinds)], application(kinds[i % len(kinds)], i)) for i in range(count)]


@cache
def applications_csv(*, encoding: str = "utf-8-sig") -> bytes:
    """A CSV of 48 applications of all kinds in turn, the ten of `FAULTS` faulty, each in another way."""
    rows = [{"证照类型": kind, **claims} for kind, claims in applications(48)]
    for row, column, value in FAULTS:
        rows[row - 2][column] = value
    columns = list(dict.fromkeys(name for row in rows for name in row))
    target = io.StringIO()
    writer = csv.DictWriter(target, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode(encoding)


FAULTS = (
    # Row of the sheet, column, and what stands there.
    (11, "credit_code", "91120199900003098A"),  # wrong check character
    (20, "citizen_number", "12019919990230001X"),  # 30 February
    (22, "contract_price", "约八千万元"),  # no number
    (26, "established_on", "2026-13-01"),  # no such month
    (29, "right_holder", ""),  # missing
    (33, "unit_name", '=HYPERLINK("https://example.com")'),  # a formula
    (35, "operator_name", "津城𠔻味馆"),  # a character that the font lacks
    (40, "sex", "未知"),  # not one of the choices
    (43, "main_format", "烧烤摊"),  # the same
    (47, "证照类型", "机动车驾驶证"),  # not in the catalogue
)


def _business(index: int) -> dict[str, str]:
    holder = company(index)
    scope = "食品生产；食品销售；餐饮服务（经相关部门批准后方可开展）；会议及展览服务；日用百货销售"
    return {
        "credit_code": holder["credit_code"],
        "enterprise_name": holder["name"],
        "enterprise_type": "有限责任公司",
        "legal_representative": holder["legal_representative"],
        "business_scope": scope,
        "registered_capital": f"{(index % 20 + 1) * 500_000}",
        "established_on": f"{2009 + index % 15}年{index % 12 + 1}月{index % 27 + 1}日",
        "domicile": holder["address"],
    }


def _food(index: int) -> dict[str, str]:
    holder = company(index)
    return {
        "operator_name": holder["name"],
        "credit_code": holder["credit_code"],
        "responsible_person": holder["legal_representative"],
        "domicile": holder["address"],
        "business_premises": holder["address"],
        "main_format": ("餐饮服务经营者", "食品销售经营者")[index % 2],
        "business_items": "热食类食品制售；冷食类食品制售；糕点类食品制售",
        "supervisor": "津城区市场监督管理局海河所",
        "complaint_line": "12315",
    }


def _physician(index: int) -> dict[str, str]:
    holder = person(index)
    return {
        "physician_name": holder["name"],
        "sex": holder["sex"],
        "born_on": holder["born"],
        "citizen_number": holder["citizen_number"],
        "qualification_number": f"2012121101201991985{index:05}",
        "practice_category": ("临床", "口腔", "中医")[index % 3],
        "practice_scope": ("内科专业", "口腔专业", "中医专业")[index % 3],
        "practice_place": "津城市津城区",
        "practice_institution": "津城区人民医院",
    }


def _real_estate(index: int) -> dict[str, str]:
    holder = person(index)
    return {
        "right_holder": holder["name"],
        "holder_code": holder["citizen_number"],
        "co_ownership": "单独所有",
        "location": f"津城区海河东路88号翠竹园{index % 20 + 1}号楼{index % 4 + 1}门{index % 18 + 1}01室",
        "unit_number": f"120199001001GB00001F{index:08}",
        "right_type": "国有建设用地使用权／房屋所有权",
        "right_nature": "出让／市场化商品房",
        "use": "城镇住宅用地／成套住宅",
        "area": f"{70 + index}.36",
        "term_of_use": "2010年5月20日起至2080年5月19日止",
        "other_facts": "专有建筑面积86.20平方米；房屋总层数18层",
    }


def _construction(index: int) -> dict[str, str]:
    holder = company(index)
    return {
        "developer": holder["name"],
        "credit_code": holder["credit_code"],
        "project_name": f"津城区第{index % 9 + 1}实验小学教学楼新建工程",
        "project_address": "津城市津城区学苑路与文华道交口东北侧",
        "project_scale": "建筑面积18620.5平方米，地上5层，地下1层",
        "contract_price": "86,400,000.00",
        "contract_start": "2026-12-01",
        "contract_end": "2028-05-31",
        "designer": "津城建筑设计研究院有限公司",
        "constructor": "津城建工第三建筑有限公司",
        "inspector": "津城方正工程监理有限公司",
    }


def _decision(index: int) -> dict[str, str]:
    holder = company(index)
    return {
        "applicant": holder["name"],
        "credit_code": holder["credit_code"],
        "matter": "道路普通货物运输经营许可",
        "case_number": f"JC20261118-{index:04}",
        "received_on": "2026-11-18",
        "decision_basis": "《中华人民共和国道路运输条例》第二十四条",
        "content": "道路普通货物运输（普通货运、冷藏保鲜），准予核发道路运输经营许可证",
        "licence_until": "2030-11-19",
    }


def _no_record(index: int) -> dict[str, str]:
    holder = person(index)
    return {
        "person_name": holder["name"],
        "sex": holder["sex"],
        "citizen_number": holder["citizen_number"],
        "checked_from": "2015-01-01",
        "checked_until": "2026-11-19",
        "purpose": "应聘中小学教师岗位",
    }


def _hygiene(index: int) -> dict[str, str]:
    holder = company(index)
    return {
        "unit_name": holder["name"],
        "credit_code": holder["credit_code"],
        "responsible_person": holder["legal_representative"],
        "premises": holder["address"],
        "licensed_items": "宾馆；游泳场（馆）",
        "commitments": "按期提交具有资质机构出具的卫生检测报告；从业人员全部取得有效健康合格证明",
        "commitment_due": "2027-01-20",
    }


_MAKERS = {
    "business-licence": _business,
    "food-business-licence": _food,
    "physician-certificate": _physician,
    "real-estate-certificate": _real_estate,
    "construction-permit": _construction,
    "administrative-decision": _decision,
    "no-record-certificate": _no_record,
    "hygiene-licence-on-commitment": _hygiene,
}
