"""Finding what a package declares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.scanning import classes, functions, import_modules


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path; what was imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(modules: list[ModuleType]) -> list[str]:
    return [module.__name__ for module in modules]


def test_given_packages_in_packages_when_importing_then_all_depths_come_in_the_order_of_their_names(
    source: Path,
) -> None:
    write(
        source,
        {
            "deep/__init__.py": "",
            "deep/z.py": "",
            "deep/a/__init__.py": "",
            "deep/a/b/__init__.py": "",
            "deep/a/b/c/__init__.py": "",
            "deep/a/b/c/leaf.py": "",
        },
    )

    found = import_modules("deep")

    assert names([*found]) == ["deep", "deep.a", "deep.a.b", "deep.a.b.c", "deep.a.b.c.leaf", "deep.z"]


def test_given_a_forgotten_init_file_when_importing_then_what_is_below_is_found_all_the_same(source: Path) -> None:
    write(
        source,
        {
            "bare/__init__.py": "",
            "bare/commands/open.py": "class Open: ...",
            "bare/deeper/still/close.py": "class Close: ...",
            "bare/data/readme.txt": "no module",
        },
    )

    found = import_modules("bare")

    assert [kind.__name__ for kind in classes(found, object)] == ["Open", "Close"]


def test_given_a_single_module_or_a_module_object_when_importing_then_it_alone_is_found(source: Path) -> None:
    write(source, {"alone.py": "class One: ..."})

    (found,) = import_modules("alone")

    assert [*import_modules(found)] == [found]


def test_given_modules_that_import_each_other_when_scanning_then_the_order_of_imports_does_not_matter(
    source: Path,
) -> None:
    write(
        source,
        {
            "order/__init__.py": "",
            "order/a.py": "from order.z import Zebra\nclass Ant: ...",
            "order/m.py": "from order.a import Ant\nfrom order.z import Zebra\nclass Mouse(Ant): ...",
            "order/z.py": "class Zebra: ...",
        },
    )
    __import__("order.z")  # somebody was here before

    found = classes(import_modules("order"), object)

    assert [kind.__name__ for kind in found] == ["Ant", "Mouse", "Zebra"]


def test_given_a_class_with_a_second_name_when_scanning_then_it_is_found_once(source: Path) -> None:
    write(source, {"alias.py": "class Thing: ...\nOther = Thing\ndef act(): ...\nact.__mark__ = 1\nagain = act"})

    modules = import_modules("alias")

    assert len(classes(modules, object)) == 1
    assert len(functions(modules, "__mark__")) == 1


def test_given_abstract_classes_and_imports_when_scanning_then_only_own_concrete_classes_are_found(
    source: Path,
) -> None:
    write(
        source,
        {
            "kinds.py": (
                "from abc import ABC, abstractmethod\n"
                "from decimal import Decimal\n"
                "class Base(ABC):\n"
                "    @abstractmethod\n"
                "    def act(self): ...\n"
                "class Actor(Base):\n"
                "    def act(self): ...\n"
            )
        },
    )

    assert [kind.__name__ for kind in classes(import_modules("kinds"), object)] == ["Actor"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import that_is_not_there", "ModuleNotFoundError: No module named 'that_is_not_there'"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_given_a_module_that_fails_when_importing_then_the_error_names_it(source: Path, text: str, said: str) -> None:
    write(source, {"failing/__init__.py": "", "failing/below/__init__.py": "", "failing/below/bad.py": text})

    with pytest.raises(ConfigurationError) as failed:
        import_modules("failing")

    assert "failing.below.bad cannot be imported" in str(failed.value)
    assert said in str(failed.value)
    assert failed.value.__cause__ is not None


def test_given_a_package_whose_own_init_fails_when_importing_then_the_error_names_it(source: Path) -> None:
    write(source, {"outer/__init__.py": "", "outer/inner/__init__.py": "1 / 0"})

    with pytest.raises(ConfigurationError, match=r"outer\.inner cannot be imported: ZeroDivisionError"):
        import_modules("outer")


def test_given_a_failure_in_an_imported_module_when_importing_then_the_error_says_where_it_is(source: Path) -> None:
    write(source, {"chain/__init__.py": "", "chain/a.py": "import chain.b", "chain/b.py": "\n\nunknown_name"})

    with pytest.raises(ConfigurationError, match=r"chain\.a cannot be imported: .* \(in chain\.b, line 3\)"):
        import_modules("chain")


def test_given_no_such_package_when_importing_then_the_error_names_it() -> None:
    with pytest.raises(ConfigurationError, match="nowhere cannot be imported"):
        import_modules("nowhere")
