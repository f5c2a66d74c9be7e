"""What Hypothesis draws for documents: any JSON, and JSON near a valid document."""

from typing import Any

from hypothesis import strategies as st

texts = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=20
)
json_objects = st.dictionaries(texts, json_values, max_size=6)
safe_numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(
    min_value=-1e15, max_value=1e15, allow_nan=False, allow_infinity=False
)
canonical_values = st.recursive(
    st.none() | st.booleans() | safe_numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
hex_digits = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def mutated(draw: st.DrawFn, document: Any, changes: int = 3) -> Any:
    """A copy of a JSON document in which a few members or items are replaced, removed, or added."""
    result = document
    for _ in range(draw(st.integers(1, changes))):
        result = _changed(draw, result)
    return result


def _changed(draw: st.DrawFn, value: Any) -> Any:
    descend = draw(st.integers(0, 9)) > 0
    if isinstance(value, dict) and value and descend:
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 9)) == 0:
            return {name: member for name, member in value.items() if name != key}
        return {**value, key: _changed(draw, value[key])}
    if isinstance(value, list) and value and descend:
        position = draw(st.integers(0, len(value) - 1))
        return [*value[:position], _changed(draw, value[position]), *value[position + 1 :]]
    return draw(json_values)
