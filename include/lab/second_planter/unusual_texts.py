"""Valid but unusual texts: numbers, names and codes in another spelling, very short, very long, or shared by right."""

from __future__ import annotations

from datetime import date

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import Unusual, unusual

_WIDE = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}  # U+FF10 to U+FF19
_WIDE_BRACKETS = "\uff08{}\uff09{}"


def _has_mobile(row) -> bool:
    return row["mobile"] is not None


def _has_phone(row) -> bool:
    return row["phone"] is not None


def rename(desk: Desk, kind: Unusual, row, name: str, in_contract: str | None = None) -> None:
    """A customer's name wherever the systems carry it; the contract may write it in another way."""
    old = row["cons_name"]
    desk.spoil(kind, row, cons_name=name)
    for account in desk.find("mkt_account", cons_no=row["cons_no"]):
        if account["payer_name"] == old:
            desk.fit(kind, account, payer_name=name)
    for version in desk.find("con_contract", cons_no=row["cons_no"]):
        if version["party_b_name"] == old:
            desk.fit(kind, version, party_b_name=in_contract or name)


def _pays_alone(desk: Desk):
    def alone(row):
        accounts = desk.find("mkt_account", cons_no=row["cons_no"])
        return (
            row["status"] == "NORMAL"
            and "有限公司" in row["cons_name"]
            and all(
                len(desk.find("mkt_account", acct_no=a["acct_no"])) == 1 and a["payer_name"] == row["cons_name"]
                for a in accounts
            )
        )

    return alone


def _renamed(name, in_contract=lambda row, number: None):
    def spoil(desk: Desk, kind: Unusual) -> None:
        for number, row in enumerate(desk.draw(kind, "mkt_customer", _pays_alone(desk))):
            rename(desk, kind, row, name(row, number), in_contract(row, number))

    return spoil


def _old_form_of_number_sign(desk: Desk, kind: Unusual) -> None:
    """The contract's copy of the name is written with 號."""
    for row in desk.draw(kind, "con_contract", lambda r: r["status"] == "EFFECTIVE" and "号" in r["party_b_name"]):
        desk.spoil(kind, row, ({"cons_no": row["cons_no"]},), party_b_name=row["party_b_name"].replace("号", "號"))


def _code_in_small_letters(desk: Desk, kind: Unusual) -> None:
    def has_letters(row):
        return row["status"] == "EFFECTIVE" and row["uscc"] is not None and row["uscc"].lower() != row["uscc"]

    for row in desk.draw(kind, "con_contract", has_letters):
        desk.spoil(kind, row, ({"cons_no": row["cons_no"]},), uscc=row["uscc"].lower())


def _representative_of_a_group(desk: Desk, kind: Unusual) -> None:
    """Two companies that pay through one settlement account have one representative."""
    accounts = desk.column("mkt_account", "acct_no")
    shared = sorted({a for a in accounts if accounts.count(a) > 1})
    for acct_no in shared[:5]:
        first, *others = (
            desk.one("mkt_customer", cons_no=a["cons_no"]) for a in desk.find("mkt_account", acct_no=acct_no)
        )
        for other in others:
            desk.spoil(kind, other, ({"cons_no": first["cons_no"]},), legal_rep=first["legal_rep"])
            for version in desk.find("con_contract", cons_no=other["cons_no"]):
                if version["signer"] == other["legal_rep"]:
                    desk.fit(kind, version, signer=first["legal_rep"])


def _electrician_of_two(desk: Desk, kind: Unusual) -> None:
    drawn = desk.draw(kind, "mkt_contact", _has_mobile, 10, contact_role="ELECTRICAL")
    for row, other in zip(drawn[::2], drawn[1::2], strict=True):
        same = {c: other[c] for c in ("contact_name", "mobile", "phone", "email")}
        desk.spoil(kind, row, (other.key,), **same)


def _one_person_two_roles(desk: Desk, kind: Unusual) -> None:
    def has_two(row):
        return bool(desk.find("mkt_contact", cons_no=row["cons_no"], contact_role="LEGAL"))

    for row in desk.draw(kind, "mkt_contact", has_two, contact_role="FINANCE"):
        legal = desk.one("mkt_contact", cons_no=row["cons_no"], contact_role="LEGAL")
        desk.spoil(kind, row, (legal.key,), **{c: legal[c] for c in ("contact_name", "mobile", "phone", "email")})


def _two_in_one_park(desk: Desk, kind: Unusual) -> None:
    drawn = desk.draw(kind, "mkt_customer", lambda r: r["status"] == "NORMAL", 10)
    for row, other in zip(drawn[::2], drawn[1::2], strict=True):
        desk.spoil(kind, row, (other.key,), addr=other["addr"])


def _number_of_another_length(desk: Desk, kind: Unusual) -> None:
    """Customer numbers of thirteen digits, in every table of the three systems."""
    for row in desk.draw(kind, "mkt_customer", _pays_alone(desk)):
        number = "310" + row["cons_no"]
        desk.spoil(kind, row, cons_no=number)
        for _, table in list(desk.edit._tables):
            if table != "mkt_customer" and "cons_no" in desk.edit.table(table).column_names:
                for other in desk.find(table, cons_no=row["cons_no"]):
                    desk.fit(kind, other, cons_no=number)


PARTS = "精密铸造与表面处理及热处理技术研究开发中试生产一体化示范基地"

KINDS = [
    unusual(
        "mobile-with-country-code",
        "mkt_contact.mobile",
        "+86 139-3143-1592",
        "the same eleven digits, with country code and hyphens",
        lambda r, n: {"mobile": f"+86 {r['mobile'][:3]}-{r['mobile'][3:7]}-{r['mobile'][7:]}"},
        _has_mobile,
        source="ITU-T E.123",
    ),
    unusual(
        "mobile-in-full-width-digits",
        "mkt_contact.mobile",
        "eleven digits of U+FF10 to U+FF19",
        "typed with a Chinese input method; the same digits",
        lambda r, n: {"mobile": r["mobile"].translate(_WIDE)},
        _has_mobile,
        source="Unicode NFKC",
    ),
    unusual(
        "mobile-with-blanks",
        "mkt_contact.mobile",
        "139 3143 1592",
        "written in groups as on a card",
        lambda r, n: {"mobile": f" {r['mobile'][:3]} {r['mobile'][3:7]} {r['mobile'][7:]}"},
        _has_mobile,
    ),
    unusual(
        "phone-with-extension",
        "mkt_contact.phone",
        "021-60000000-8012 or 转8012",
        "a fixed line with an extension",
        lambda r, n: {"phone": r["phone"] + ("-8012" if n % 2 else "转8012")},
        _has_phone,
    ),
    unusual(
        "phone-with-brackets",
        "mkt_contact.phone",
        "(021)60000000, half or full width",
        "area code in brackets, half or full width",
        lambda r, n: {"phone": ("({}){}" if n % 2 else _WIDE_BRACKETS).format(*r["phone"].split("-", 1))},
        _has_phone,
    ),
    unusual(
        "phone-of-a-service-line",
        "mkt_contact.phone",
        "400-8xx-xxxx",
        "companies give their service line of ten digits",
        lambda r, n: {"phone": f"400-8{10 + n}-20{40 + 3 * n}"},
        _has_phone,
    ),
    unusual(
        "no-mobile-but-a-fixed-line",
        "mkt_contact.mobile",
        "a contact with a fixed line only",
        "a reachable number is wanted, not a mobile one",
        lambda r, n: {"mobile": None},
        lambda r: _has_phone(r) and not r["is_primary_contact"],
    ),
    unusual(
        "mail-address-in-capitals-with-a-tag",
        "mkt_contact.email",
        "Energy.Team+Power@Example.COM",
        "capitals and a tag are allowed",
        lambda r, n: {"email": r["email"].split("@")[0].capitalize() + "+Power@Mail.Example.COM"},
        lambda r: r["email"] is not None,
        source="RFC 5322",
    ),
    unusual(
        "name-of-two-characters",
        "mkt_contact.contact_name",
        "合一",
        "a family name and one character are a whole name",
        lambda r, n: {"contact_name": "合" + "一二三千万"[n]},
    ),
    unusual(
        "name-with-a-middle-dot",
        "mkt_contact.contact_name",
        "合成·买买提",
        "names of several peoples have a middle dot and up to twenty characters",
        lambda r, n: {"contact_name": "合成·买买提" + "江山河海湖"[n]},
        source="GB/T 33356 allows the separator U+00B7",
    ),
    unusual(
        "name-in-latin-letters",
        "mkt_contact.contact_name",
        "HECHENG K.-H.",
        "the manager of a foreign company",
        lambda r, n: {"contact_name": f"HECHENG K.-{'HJMPW'[n]}."},
    ),
    Unusual(
        "one-person-in-two-roles",
        "mkt_contact",
        ("contact_name", "mobile"),
        "legal and finance contact are one person",
        "small works have one office",
        _one_person_two_roles,
    ),
    Unusual(
        "electrician-of-two-customers",
        "mkt_contact",
        ("contact_name", "mobile"),
        "two works hire one electrician",
        "maintenance is contracted out",
        _electrician_of_two,
    ),
    Unusual(
        "old-form-of-the-number-sign",
        "con_contract",
        ("party_b_name",),
        "第0001號 in the contract, 第0001号 in marketing",
        "a variant of one character",
        _old_form_of_number_sign,
        "通用规范汉字表",
    ),
    Unusual(
        "brackets-of-another-width",
        "mkt_customer",
        ("cons_name",),
        "a name with (北区) in marketing and full-width brackets in the contract",
        "one name in half and full width",
        _renamed(
            lambda r, n: r["cons_name"].replace("有限公司", "(北区)有限公司"),
            lambda r, n: r["cons_name"].replace("有限公司", "\uff08北区\uff09有限公司"),
        ),
        "Unicode NFKC",
        breaks_identity=True,
    ),
    Unusual(
        "very-long-name",
        "mkt_customer",
        ("cons_name",),
        "a name of more than sixty characters",
        "research works and joint ventures carry such names",
        _renamed(lambda r, n: r["cons_name"].replace("有限公司", PARTS + PARTS[: 20 + n] + "有限责任公司")),
        breaks_identity=True,
    ),
    Unusual(
        "very-short-name",
        "mkt_customer",
        ("cons_name",),
        "合成一厂",
        "works of the state are called so",
        _renamed(lambda r, n: f"合成{'一二三四五'[n]}厂"),
        breaks_identity=True,
    ),
    Unusual(
        "code-in-small-letters",
        "con_contract",
        ("uscc",),
        "the credit code in small letters in the contract",
        "letters of the code have no case; the same code",
        _code_in_small_letters,
        "GB 32100-2015",
    ),
    Unusual(
        "representative-of-two-companies-of-a-group",
        "mkt_customer",
        ("legal_rep",),
        "two companies that pay through one account have one representative",
        "usual in a group",
        _representative_of_a_group,
    ),
    Unusual(
        "two-customers-in-one-park",
        "mkt_customer",
        ("addr",),
        "two customers at one address",
        "an industrial park has one number",
        _two_in_one_park,
    ),
    Unusual(
        "customer-number-of-thirteen-digits",
        "mkt_customer",
        ("cons_no",),
        "3100310000001, in all tables",
        "lengths of numbers differ by province and by the age of the system",
        _number_of_another_length,
        breaks_identity=True,
    ),
    unusual(
        "address-at-a-kilometre",
        "mkt_customer.addr",
        "G320 K12+300",
        "a works on a road has no house number",
        lambda r, n: {"addr": f"合成市示范区G320国道K{12 + n}+{300 + 7 * n}处北侧"},
    ),
    unusual(
        "industry-with-a-leading-zero",
        "mkt_customer.industry_code",
        "0610, coal mining",
        "classes of agriculture and mining begin with 0",
        lambda r, n: {"industry_code": "0610"},
        lambda r: r["cons_class"] == "LARGE_IND",
        source="GB/T 4754-2017",
    ),
    unusual(
        "four-teams-three-shifts",
        "mkt_customer.shift_mode",
        "四班三运转",
        "steel and chemistry work so; there is no rest day",
        lambda r, n: {"shift_mode": "四班三运转", "factory_rest_day": None},
        columns=("factory_rest_day",),
    ),
    unusual(
        "certified-on-a-leap-day",
        "mkt_manager.certified_on",
        "29 February 2024, valid to 28 February 2028",
        "a leap day is a day",
        lambda r, n: {"certified_on": date(2024, 2, 29), "cert_valid_to": date(2028, 2, 28)},
        lambda r: r["status"] == "ACTIVE" and r["posted_on"] is not None,
        columns=("cert_valid_to",),
    ),
    unusual(
        "customer-has-nothing-to-say",
        "mkt_survey.comment_text",
        "无",
        "the answer of a customer without a comment",
        lambda r, n: {"comment_text": "无"},
        equals={"q_code": "Q3"},
    ),
    unusual(
        "hazard-described-at-length",
        "mkt_hazard.hazard_desc",
        "three hundred characters",
        "a careful inspector",
        lambda r, n: {"hazard_desc": r["hazard_desc"] + "," + (PARTS + ":") * 9 + str(n)},
    ),
    unusual(
        "visit-in-four-characters",
        "mkt_manager_visit.summary",
        "已换表计",
        "says what happened",
        lambda r, n: {"summary": ("已换表计", "送达账单", "查看配电室", "签增容协议", "测接地电阻")[n]},
    ),
    unusual(
        "boundary-described-at-length",
        "con_contract.property_boundary",
        "pole, cable number, terminal and who owns which side",
        "careful wording is good wording",
        lambda r, n: {
            "property_boundary": r["property_boundary"] + "(A侧电缆头归供电人,B侧及以下归用电人;含#3环网柜904间隔出线)"
        },
        lambda r: r["status"] == "EFFECTIVE" and r["property_boundary"] is not None,
    ),
    unusual(
        "confirmed-by-the-man-on-duty",
        "mkt_outage_notice.confirmed_by",
        "合成值班员",
        "whoever is on duty answers the telephone",
        lambda r, n: {"confirmed_by": f"合成值班员{'甲乙丙丁戊'[n]}"},
        lambda r: r["confirmed_at"] is not None,
    ),
]
