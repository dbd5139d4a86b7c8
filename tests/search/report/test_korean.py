"""Korean particles after words of all kinds."""

import pytest

from search.report.korean import with_particles


@pytest.mark.parametrize(
    ("marked", "right"),
    [
        ("신경망은(는)", "신경망은"),
        ("학습률이(가)", "학습률이"),
        ("배치을(를)", "배치를"),
        ("드롭아웃과(와) 유닛", "드롭아웃과 유닛"),
        ("오차과(와) 편향", "오차와 편향"),
        ("학습률(으)로", "학습률로"),
        ("균형(으)로", "균형으로"),
        ("main2은(는)", "main2는"),
        ("main3이(가)", "main3이"),
        ("main은(는)", "main은"),
        ("small이(가)", "small이"),
        ("tradeoff은(는)", "tradeoff는"),
        ("main2(유닛 64/32)은(는)", "main2는".replace("는", "(유닛 64/32)는")),
        ("240.3 MW이(가)", "240.3 MW가"),
        ("101(으)로", "101로"),
        ("16을(를) 10(으)로", "16을 10으로"),
        ("no particle", "no particle"),
    ],
)
def test_the_particle_fits_the_word(marked: str, right: str) -> None:
    assert with_particles(marked) == right
