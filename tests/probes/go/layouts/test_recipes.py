from memdash.probes.go.layouts.layout import Recipe
from memdash.probes.go.layouts.recipes import pick


def recipe(function: str, offset: int = 3, opcode: bytes = b"\x48\x8b\x05") -> Recipe:
    return Recipe(function, offset, 4, 0, opcode)


def test_long_opcodes_and_many_functions_come_first() -> None:
    short, long = recipe("runtime.a", opcode=b"\x83\x3d"), recipe("runtime.a", offset=9)
    other = recipe("runtime.b", opcode=b"\x83\x3d")
    assert pick([short, other, long], wished=2, enough=0) == [long, other]


def test_further_places_in_the_same_function_fill_up_to_enough() -> None:
    places = [recipe("runtime.a", offset) for offset in range(3, 13)]
    assert pick(places, wished=10, enough=6) == places[:6]


def test_no_more_than_wished_are_picked_in_the_same_order_whatever_came_in() -> None:
    many = [recipe(f"runtime.f{number:02}") for number in range(20)]
    assert pick(many) == pick(many[::-1]) == many[:10]
