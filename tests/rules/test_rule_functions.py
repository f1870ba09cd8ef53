"""Functions of the rules against the numeric oracles; expected values are typed in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.records.database import connect


@pytest.fixture
def ask(staged_database: str):
    with connect(staged_database) as connection:
        yield lambda query: connection.execute(f"select {query}").fetchone()[0]


@pytest.mark.parametrize(
    ("code", "is_valid"),
    [
        ("9144030071526726XG", True),
        ("91330100799655058B", True),
        ("000000000000000000", True),  # the arithmetic lets it pass; the placeholder part of the rule does not
        ("911111111111111111", False),
        ("91111111111111111W", True),
        ("910000000000000000", False),
        ("91000000000000000K", True),
        ("9144030071526726XI", False),
        ("9144030071526726X", False),
    ],
)
def test_o23_check_character_of_the_credit_code(ask, code: str, is_valid: bool):
    assert ask(f"quality.uscc_is_valid('{code}')") is is_valid


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        ("合成水泥（有限）公司", "合成水泥有限公司", "1"),
        ("合成水泥有限公司", "合成水泥有限责任公司", "1"),
        ("ＡＢＣ机械有限公司", "ABC 机械股份有限公司", "1"),
        ("合成第0001号钢铁有限公司", "合成第0002号钢铁有限公司", "0.7778"),  # 7 of 9 pairs in common
        ("肇庆水泥有限公司", "广宁石材厂", "0"),
    ],
)
def test_names_are_compared_after_normalisation(ask, one: str, other: str, similarity: str):
    assert ask(f"round(quality.name_similarity('{one}', '{other}'), 4)") == Decimal(similarity)


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [(45120, 45099, -21), (45099, 45120, 21), (999000, 10, 1010), (500000, 10, -499990)],
)
def test_a_register_rolls_over_only_at_its_end(ask, before: int, after: int, difference: int):
    assert ask(f"quality.register_difference({before}, {after}, 6, 0.9, 0.1)") == difference


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        ("+86 139-1234 5678", "13912345678"),
        ("０２１－６０００００００", "02160000000"),
        ("021-60000001转801", "02160000001801"),
        ("-", "-"),
        (" ／ ", "/"),
        ("（）", "()"),
        ("-0", "0"),
        ("转", "转"),
        (" ", ""),
        ("", ""),
    ],
)
def test_of_a_telephone_number_that_is_nothing_but_signs_the_signs_stay(ask, number: str, plain: str):
    assert ask(f"quality.plain_phone('{number}')") == plain


@pytest.mark.parametrize(
    ("number", "is_made_up"),
    [
        ("12345678901", True),
        ("13888888888", True),
        ("13987654321", True),
        ("13812345679", False),
        ("15987563412", False),
    ],
)
def test_made_up_numbers(ask, number: str, is_made_up: bool):
    assert ask(f"quality.is_made_up_number('{number}')") is is_made_up


@pytest.mark.parametrize(
    ("hits", "size", "all_hits", "all_size", "chance"),
    [
        (3, 4, 3, 10, "0.0333333333"),  # 7 of the 210 draws of four
        (2, 4, 3, 10, "0.3333333333"),  # 63 more
        (0, 4, 3, 10, "1"),
        (4, 4, 3, 10, "0"),  # more than there are
        (1, 8, 3, 10, "1"),  # fewer cannot be: two of the ten are left out
        (16, 20, 26, 89, "0.0000000830"),  # C(26,16) C(63,4) + ... + C(26,20), over C(89,20)
        (0, 50, 0, 1000, "1"),  # clean data
        (600, 1000, 600, 100000, "0"),  # below what a double can tell from nothing
        (1, 50000, 90000, 100000, "1"),
    ],
)
def test_the_chance_of_so_many_marked_rows_is_the_tail_of_the_hypergeometric_distribution(
    ask, hits, size, all_hits, all_size, chance
):
    assert ask(f"quality.hypergeometric_tail({hits}, {size}, {all_hits}, {all_size})::numeric(12, 10)") == Decimal(
        chance
    )


def test_the_tail_agrees_with_another_implementation(ask):
    from scipy.stats import hypergeom

    for hits, size, all_hits, all_size in [
        (5, 20, 6, 60),
        (40, 100, 1000, 10000),
        (10200, 500000, 20000, 1000000),
        (3, 700, 900, 90000),
        (4, 5, 10, 10),  # all are marked: no chance is left, though four of five were seen
        (2, 5, 8, 10),
        (3, 5, 8, 10),
    ]:
        expected = hypergeom.sf(hits - 1, all_size, all_hits, size)
        assert ask(f"quality.hypergeometric_tail({hits}, {size}, {all_hits}, {all_size})") == pytest.approx(
            expected, rel=1e-6
        )


def test_a_threshold_that_is_not_in_the_seed_is_an_error(ask):
    with pytest.raises(Exception, match="no nothing of MET-02 on 2026-11-05"):
        ask("quality.parameter('MET-02', 'nothing', date '2026-11-05')")


@pytest.mark.parametrize(
    ("ratios", "points", "right"),
    [
        ((80, 60, 80), (None, None, None), 80),
        ((60, 60, 80), (None, None, 9), 60),  # two that agree outvote any evidence of the third
        ((60, 80, 80), (9, None, None), 80),
        ((80, 60, 100), (5, 4, 4), 80),
        ((80, 60, 100), (None, 2, 4), 100),
        ((80, 60, 100), (None, None, -2), None),
        ((80, 60, 100), (None, -2, -2), 80),
        ((80, 60, 100), (4, 4, 1), None),
        ((80, 60, 100), (None, None, None), None),
        ((80, 60, None), (5, 2, None), 80),
        ((80, 60, None), (None, None, None), None),
    ],
)
def test_two_that_agree_are_right_and_else_the_best_evidence(ask, ratios: tuple, points: tuple, right: int | None):
    numbers = ", ".join(f"{number}::numeric" if number is not None else "null" for number in (*ratios, *points))
    assert ask(f"quality.likely_right({numbers})") == right


def test_words_are_weighed_like_numbers(ask):
    assert ask("quality.likely_right('0.90'::text, '0.85'::text, '0.90'::text, null, 9, null)") == "0.90"
    assert ask("quality.likely_right(null, 'DGY-010'::text, 'DGY-035'::text, null, null, 4)") == "DGY-035"


@pytest.mark.parametrize(
    ("right", "values", "suspects"),
    [
        (80, (80, 60, 80), "marketing"),
        (80, (80, 60, 100), "marketing and contract"),
        (80, (60, 80, None), "metering"),  # a side that is absent is no suspect
        (None, (80, 60, 100), None),
    ],
)
def test_suspect_is_who_says_another_thing_than_what_is_right(
    ask, right: int | None, values: tuple, suspects: str | None
):
    numbers = ", ".join(f"{number}::numeric" if number is not None else "null" for number in (right, *values))
    assert ask(f"quality.suspect_side({numbers})") == suspects
