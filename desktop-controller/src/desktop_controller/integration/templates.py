"""argv templates: each element is a text with places in braces, and stays one element whatever is put there."""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final

_FORMATTER: Final = Formatter()


class Template:
    """One element, as `{path}` or `--level={level}`. A brace itself is written twice.

    Attributes:
        names: the parameters in it, in their order.
        leading: the parameters before any text of its own. The first of them that is not empty begins the argument, and
            so decides whether the program can take it for an option.
    """

    def __init__(self, element: str) -> None:
        try:
            parsed = list(_FORMATTER.parse(element))
        except ValueError as error:
            raise ValueError(f"argv element {element!r} is no template ({error}): write a brace itself twice") from None
        if "\0" in element:
            raise ValueError(f"argv element {element!r} contains NUL: remove it")
        self._pieces: list[tuple[str, str | None]] = []
        for text, name, format_spec, conversion in parsed:
            if name is not None and (format_spec or conversion or not name.isidentifier()):
                raise ValueError(f"argv element {element!r} has a place that is no plain {{name}}: correct it")
            self._pieces.append((text, name))
        self.names: Sequence[str] = [name for _, name in self._pieces if name is not None]
        own_text = next((number for number, (text, _) in enumerate(self._pieces) if text), len(self._pieces))
        self.leading: Sequence[str] = [name for _, name in self._pieces[:own_text] if name is not None]

    def filled(self, values: Mapping[str, str]) -> str:
        """The element with these values."""
        return "".join(text + (values[name] if name is not None else "") for text, name in self._pieces)
