"""营销, customers: the office's archive of who a customer is, whom to call and who pays."""

from __future__ import annotations

from datetime import timedelta

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, UNNAMED, Kind, slip

YEAR = timedelta(days=365)


def is_supplied(row) -> bool:
    return row["status"] == "NORMAL" and row["connect_date"] is not None


def contract_in_force(desk: Desk, row) -> tuple[dict, ...]:
    """Keys of the contract versions of the record's account."""
    return tuple(r.key for r in desk.find("con_contract", cons_no=row["cons_no"]))


def _exchanged(text: str, at: int) -> str:
    """A text with two neighbouring characters that differ exchanged, from a place on."""
    place = next(n for n in range(at, len(text) - 1) if text[n] != text[n + 1])
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _credit_code_of_another(desk: Desk, kind: Kind) -> None:
    others = [r for r in desk.shuffled(kind, "mkt_customer", {}) if r["uscc"]]
    for row in desk.draw(kind, "mkt_customer", lambda r: is_supplied(r) and r["uscc"] is not None):
        other = next(r for r in others if r["uscc"] != row["uscc"] and r["cons_name"] != row["cons_name"])
        desk.spoil(kind, row, (other.key, *contract_in_force(desk, row)), uscc=other["uscc"])


def _one_representative_for_all(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_customer", is_supplied, 12):
        desk.spoil(kind, row, legal_rep="合成代办员甲")


def _shift_filled_for_an_office(desk: Desk, kind: Kind) -> None:
    """Every customer of one office gets the same shift and rest day; the office has a few that were right."""
    office = desk.column("mkt_customer", "org_no")
    smallest = min(sorted(set(office)), key=office.count)
    for row in desk.find("mkt_customer", org_no=smallest):
        if ("mkt_customer", row.number) in desk.claimed:
            continue
        if row["shift_mode"] == "单班制" and row["factory_rest_day"] == "星期日":
            desk.claim(row, kind)
            continue
        desk.claim(row, kind)
        desk.spoil(kind, row, ({"org_no": smallest},), shift_mode="单班制", factory_rest_day="星期日")


def _no_contact_left(desk: Desk, kind: Kind) -> None:
    for first in desk.draw(kind, "mkt_contact", lambda r: True):
        for row in desk.find("mkt_contact", cons_no=first["cons_no"]):
            if row.number == first.number:
                desk.remove(kind, row)
            else:
                desk.drop(kind, [row])


def _no_number_left(desk: Desk, kind: Kind) -> None:
    for first in desk.draw(kind, "mkt_contact", lambda r: bool(r["is_primary_contact"])):
        for row in desk.find("mkt_contact", cons_no=first["cons_no"]):
            if row.number == first.number:
                desk.spoil(kind, row, mobile=None, phone=None)
            else:
                desk.fit(kind, row, mobile=None, phone=None)


def _no_first_contact(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_contact", lambda r: bool(r["is_primary_contact"])):
        desk.spoil(kind, row, is_primary_contact=False)


def _office_number_as_phone(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_contact", lambda r: r["phone"] is not None, 12):
        desk.spoil(kind, row, phone="021-69990000")


def _account_lost_a_digit(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_account", lambda r: len(desk.find("mkt_account", acct_no=r["acct_no"])) == 1):
        bills = desk.find("mkt_bill", acct_no=row["acct_no"])
        short = row["acct_no"][:-1]
        desk.spoil(kind, row, (row.key, *(b.key for b in bills)), acct_no=short)


def _tax_number_of_another(desk: Desk, kind: Kind) -> None:
    others = desk.shuffled(kind, "mkt_account", {})
    for row in desk.draw(kind, "mkt_account", lambda r: r["tax_no"] is not None):
        other = next(r for r in others if r["tax_no"] and r["tax_no"] != row["tax_no"])
        desk.spoil(kind, row, ({"cons_no": row["cons_no"]}, other.key), tax_no=other["tax_no"])


def _orphan_offices(desk: Desk, kind: Kind) -> None:
    like = desk.find("mkt_org", org_no=max(desk.column("mkt_org", "org_no"), key=len))[0]
    for number in range(5):
        changes = {"org_no": f"31019{number + 1}", "org_name": f"合成撤并供电所{number + 1}", "parent_org_no": "3199"}
        desk.edit.copy("mkt_org", like.number, **changes)
        desk.note(kind, like, (), {"org_no": changes["org_no"]}, is_in_place=False)


CLASSES = [
    Kind(
        "office-whose-parent-is-gone",
        "M3",
        "mkt_org",
        ("parent_org_no", "org_no"),
        (MISMATCHED, MISSING),
        "Offices were merged; the old ones are still delivered, under a parent that no longer exists.",
        "the offices that have customers",
        "none in kWh",
        _orphan_offices,
    ),
    Kind(
        "credit-code-of-another-company",
        "M3",
        "mkt_customer",
        ("uscc",),
        (MISMATCHED, INVENTED),
        "The clerk copied the file of the customer before and forgot to change the credit code: two "
        "companies, one code.",
        "the company to which the code belongs",
        "credit and group of the wrong company",
        _credit_code_of_another,
        others=("con_contract.uscc", "mkt_account.tax_no"),
    ),
    slip(
        "credit-code-with-two-characters-exchanged",
        "M6",
        "mkt_customer.uscc",
        (MISMATCHED, INVENTED),
        "Two characters of the credit code were exchanged in typing; its check character no longer fits.",
        lambda r, n: {"uscc": _exchanged(r["uscc"], 9)},
        lambda r: is_supplied(r) and r["uscc"] is not None,
        others=("con_contract.uscc", "mkt_account.tax_no"),
        other_keys=contract_in_force,
    ),
    Kind(
        "one-representative-for-twelve-companies",
        "M8",
        "mkt_customer",
        ("legal_rep",),
        (INVENTED,),
        "An agent filed twelve applications and signed as legal representative of all, unrelated companies.",
        "companies of one group that share a representative by right",
        "none in kWh; nobody to serve a notice on",
        _one_representative_for_all,
        near=(("org_no",),),
    ),
    Kind(
        "shift-filled-in-for-an-office",
        "M8",
        "mkt_customer",
        ("shift_mode", "factory_rest_day"),
        (INVENTED,),
        "A campaign asked for shift and rest day by Friday: the office entered one shift and Sunday for everybody.",
        "the other offices",
        "none in kWh; advice on shifting load rests on it",
        _shift_filled_for_an_office,
    ),
    slip(
        "opened-after-it-was-connected",
        "M5",
        "mkt_customer.open_date",
        (MISMATCHED, INVENTED),
        "At a migration the date of entry was taken as the date of opening: after the first supply.",
        lambda r, n: {"open_date": r["connect_date"] + timedelta(days=400)},
        is_supplied,
        columns=("connect_date",),
    ),
    slip(
        "industry-nobody-has",
        "M6",
        "mkt_customer.industry_code",
        (INVENTED, MISSING, MISMATCHED),
        "The industry was unknown and four zeros got past the mandatory field.",
        lambda r, n: {"industry_code": "0000"},
        lambda r: is_supplied(r) and r["industry_code"] is not None,
    ),
    slip(
        "runs-more-than-its-contract",
        "M4",
        "mkt_customer.running_cap_kva",
        (MISMATCHED,),
        "An increase was refused and its capacity stayed in the archive: more is running than the contract allows.",
        lambda r, n: {"running_cap_kva": r["contract_cap_kva"] + 250},
        is_supplied,
        columns=("contract_cap_kva",),
        others=("mkt_transformer.cap_kva", "con_contract.contract_cap_kva"),
        cost="a capacity charge of 250 kVA a month, were it billed",
    ),
    slip(
        "capacity-with-a-zero-too-many",
        "M6",
        "mkt_customer.contract_cap_kva",
        (MISMATCHED, INVENTED),
        "A zero too many: contract and running capacity are ten times what transformers and contract say.",
        lambda r, n: {"contract_cap_kva": r["contract_cap_kva"] * 10, "running_cap_kva": r["running_cap_kva"] * 10},
        lambda r: is_supplied(r) and r["contract_cap_kva"] < 2000,
        columns=("running_cap_kva",),
        others=("con_contract.contract_cap_kva", "mkt_transformer.cap_kva"),
        other_keys=contract_in_force,
        cost="nine tenths of the capacity charge, were it billed by capacity",
    ),
    slip(
        "closed-on-a-day-and-normal",
        UNNAMED,
        "mkt_customer.close_date",
        (MISMATCHED,),
        "A closure was entered, then withdrawn by telephone: the date stayed, the status says normal.",
        lambda r, n: {"close_date": r["connect_date"] + YEAR},
        lambda r: is_supplied(r) and r["close_date"] is None,
        columns=("status",),
    ),
    slip(
        "address-as-above",
        "M6",
        "mkt_customer.addr",
        (INVENTED, MISSING),
        "The address was copied from a list in which the line said 同上, as above.",
        lambda r, n: {"addr": "同上"},
        is_supplied,
    ),
    slip(
        "resident-with-a-works-tariff",
        UNNAMED,
        "mkt_customer.cons_class",
        (MISMATCHED,),
        "At a migration the class fell to resident; tariff, capacity and voltage are those of large industry.",
        lambda r, n: {"cons_class": "RESIDENT"},
        lambda r: is_supplied(r) and r["cons_class"] == "LARGE_IND",
        others=("mkt_tariff_assign.tariff_code", "con_contract.tariff_code"),
        columns=("voltage_level", "contract_cap_kva"),
    ),
    slip(
        "important-on-one-side",
        "M3",
        "mkt_customer.importance",
        (MISMATCHED,),
        "A customer was rated an important one in marketing's list; the contract knows nothing of it.",
        lambda r, n: {"importance": "SPECIAL"},
        lambda r: is_supplied(r) and r["importance"] == "NONE",
        others=("con_contract.importance",),
        other_keys=contract_in_force,
        cost="none in kWh; supplies and notices owed to an important user",
    ),
    Kind(
        "no-contact-left",
        "M2",
        "mkt_contact",
        (),
        (MISSING,),
        "At a change of staff all contacts of a customer were deleted and the new ones never entered.",
        "the contacts of other customers",
        "nobody to call before an outage",
        _no_contact_left,
        near=(("cons_no",),),
    ),
    Kind(
        "no-number-left",
        "M2",
        "mkt_contact",
        ("mobile", "phone"),
        (MISSING,),
        "A clean-up of wrong numbers left contacts with a name and no number at all.",
        "contacts that have a mobile or a fixed line",
        "nobody to call before an outage",
        _no_number_left,
        near=(("cons_no",),),
    ),
    Kind(
        "no-first-contact",
        "M2",
        "mkt_contact",
        ("is_primary_contact",),
        (MISSING, MISMATCHED),
        "The first contact retired and its mark was taken away; nobody got it.",
        "the other contacts",
        "nobody is called first",
        _no_first_contact,
        near=(("cons_no",),),
    ),
    Kind(
        "office-number-for-twelve-customers",
        "M8",
        "mkt_contact",
        ("phone",),
        (INVENTED,),
        "The number was mandatory: the clerk gave the office's own switchboard for twelve customers.",
        "contacts of one customer that share a switchboard",
        "the office calls itself before an outage",
        _office_number_as_phone,
    ),
    slip(
        "contact-is-the-responsible-person",
        "M6",
        "mkt_contact.contact_name",
        (INVENTED, MISSING),
        "Instead of a name the form says 负责人, the person in charge.",
        lambda r, n: {"contact_name": "负责人"},
    ),
    slip(
        "mobile-with-a-digit-missing",
        "M6",
        "mkt_contact.mobile",
        (MISMATCHED, INVENTED),
        "A mobile number was typed with ten digits.",
        lambda r, n: {"mobile": r["mobile"][:7] + r["mobile"][8:]},
        lambda r: r["mobile"] is not None,
    ),
    slip(
        "mail-address-cut-off",
        "M6",
        "mkt_contact.email",
        (MISMATCHED, INVENTED),
        "The old system's field was too short: the mail address ends behind the @.",
        lambda r, n: {"email": r["email"].split("@")[0] + "@"},
        lambda r: r["email"] is not None,
    ),
    Kind(
        "settlement-account-lost-a-digit",
        "M9",
        "mkt_account",
        ("acct_no",),
        (MISMATCHED, MISSING),
        "A sheet of settlement accounts was cleaned in a spreadsheet; a number lost its last digit. Bills "
        "and payments have the right one.",
        "the customer's energy and revenue; its bills are dependants of this one record",
        "error 0; payments of all its bills cannot be matched",
        _account_lost_a_digit,
        others=("mkt_bill.acct_no", "mkt_payment.acct_no"),
        near=(("cons_no",),),
        breaks_identity=True,
    ),
    Kind(
        "tax-number-of-another-company",
        "M3",
        "mkt_account",
        ("tax_no",),
        (MISMATCHED,),
        "The accountant of two companies gave one tax number for both; the credit code of the customer says otherwise.",
        "groups that pay through one account",
        "invoices to the wrong company",
        _tax_number_of_another,
        others=("mkt_customer.uscc",),
    ),
    slip(
        "bank-account-in-scientific-notation",
        "M6",
        "mkt_account.bank_acct",
        (INVENTED, MISMATCHED),
        "A spreadsheet turned nineteen digits into 6.22800E+18.",
        lambda r, n: {"bank_acct": f"{float(r['bank_acct']):.5E}"},
        lambda r: r["bank_acct"] is not None,
    ),
    slip(
        "thirty-settlements-a-month",
        "M6",
        "mkt_account.installments",
        (MISMATCHED, INVENTED),
        "The field for settlements a month was filled with the days of payment.",
        lambda r, n: {"installments": 30},
        others=("con_contract.installments",),
    ),
]
