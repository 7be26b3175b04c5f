"""The catalogue: what is allowed, what reaches the program, and what stops the start."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from pydantic import JsonValue

from desktop_controller.integration.catalogue import TomlCatalogue
from desktop_controller.integration.templates import Template
from neuroglia.core.errors import ConfigurationError, InvalidRequest, NotFoundError

FILE = """
[commands.show-log]
description = "The last lines of a log"
argv = ["tail", "--lines={lines}", "{file}", "{{x}}", "a{word}b"]
timeout_seconds = 10

[commands.show-log.parameters.lines]
type = "integer"
minimum = -5
maximum = 500
description = "How many"

[commands.show-log.parameters.file]
type = "path"
root = "ROOT"

[commands.show-log.parameters.word]
type = "enum"
values = ["x", "-y"]

[commands.echo]
description = "Says it"
argv = ["echo", "{text}"]

[commands.echo.parameters.text]
type = "text"
pattern = "(?s:.*)"
max_length = 20

[commands.level]
description = "Sets it"
argv = ["level", "{text}"]
version = "2"

[commands.level.parameters.text]
type = "text"
pattern = "-?[0-9]"
allow_dash = true
"""
GOOD: dict[str, JsonValue] = {"lines": 3, "file": "a/b", "word": "-y"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def catalogue_of(root: Path, text: str = FILE, *, resolve: bool = True) -> TomlCatalogue:
    file = root.parent / "commands.toml"
    file.write_text(text.replace("ROOT", str(root)))
    return TomlCatalogue(file, resolve=resolve)


def codes(catalogue: TomlCatalogue, name: str, arguments: dict[str, JsonValue]) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        catalogue.argv(name, arguments)
    return {error.pointer: error.code for error in refused.value.errors}


def test_given_good_arguments_when_argv_is_built_then_each_value_is_one_element_or_a_part_of_one(root: Path) -> None:
    argv = catalogue_of(root).argv("show-log", GOOD)

    assert argv == ["tail", "--lines=3", str(root.resolve() / "a/b"), "{x}", "a-yb"]


def test_given_a_file_when_its_entries_are_told_then_they_are_in_order_with_schema_and_hash(root: Path) -> None:
    first, second, third = catalogue_of(root).entries()

    assert [first.name, second.name, third.name] == ["echo", "level", "show-log"]
    assert (second.version, third.timeout_seconds) == ("2", 10.0)
    assert third.parameters["required"] == ["lines", "file", "word"]
    assert third.parameters["additionalProperties"] is False
    assert len({entry.sha256 for entry in (first, second, third)}) == 3
    assert [entry.sha256 for entry in catalogue_of(root).entries()] == [first.sha256, second.sha256, third.sha256]
    changed = catalogue_of(root, FILE.replace("maximum = 500", "maximum = 501")).entries()
    assert [entry.sha256 for entry in changed[:2]] == [first.sha256, second.sha256]
    assert changed[2].sha256 != third.sha256


def test_given_an_unknown_command_when_argv_is_built_then_there_is_none(root: Path) -> None:
    with pytest.raises(NotFoundError):
        catalogue_of(root).argv("rm", {})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lines": 501}, {"/arguments/lines": "range"}),
        ({"lines": "3"}, {"/arguments/lines": "integer"}),
        ({"lines": True}, {"/arguments/lines": "integer"}),
        ({"lines": 3.0}, {"/arguments/lines": "integer"}),
        ({"lines": None}, {"/arguments/lines": "integer"}),
        ({"word": "z"}, {"/arguments/word": "enum"}),
        ({"word": ["x"]}, {"/arguments/word": "enum"}),
        ({"a/b~": 1, "word": "z"}, {"/arguments/a~1b~0": "unknown", "/arguments/word": "enum"}),
        ({"file": 1}, {"/arguments/file": "string"}),
    ],
)
def test_given_a_bad_argument_when_argv_is_built_then_it_is_told_at_its_pointer(
    root: Path, change: dict[str, JsonValue], expected: dict[str, str]
) -> None:
    assert codes(catalogue_of(root), "show-log", {**GOOD, **change}) == expected


def test_given_no_arguments_when_argv_is_built_then_each_is_missing(root: Path) -> None:
    assert set(codes(catalogue_of(root), "show-log", {}).values()) == {"missing"}


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "a/", "a\0b", "a\nb", "\ud800", "x" * 256, "a\\b"],
)
@pytest.mark.parametrize("resolve", [True, False])
def test_given_a_path_that_leads_out_when_argv_is_built_then_it_is_refused(
    root: Path, path: str, *, resolve: bool
) -> None:
    assert codes(catalogue_of(root, resolve=resolve), "show-log", {**GOOD, "file": path}) == {"/arguments/file": "path"}


def test_given_a_link_that_leads_out_when_argv_is_built_then_it_is_refused(root: Path) -> None:
    (root / "out").symlink_to("/etc")
    (root / "sibling").symlink_to(f"{root}-2")

    for path in ("out/x", "out", "sibling"):
        assert codes(catalogue_of(root), "show-log", {**GOOD, "file": path}) == {"/arguments/file": "path"}


def test_given_a_link_within_the_folder_when_argv_is_built_then_it_is_followed(root: Path) -> None:
    (root / "link").symlink_to("real")

    assert catalogue_of(root).argv("show-log", {**GOOD, "file": "link"})[2] == str(root.resolve() / "real")


@pytest.mark.parametrize(
    ("text", "code"),
    [("-rf", "dash"), ("x" * 21, "too-long"), ("a\0", "pattern"), ("\udcff", "pattern"), (5, "string")],
)
def test_given_a_text_that_no_program_should_get_when_argv_is_built_then_it_is_refused(
    root: Path, text: JsonValue, code: str
) -> None:
    assert codes(catalogue_of(root), "echo", {"text": text}) == {"/arguments/text": code}


def test_given_a_parameter_that_allows_it_when_a_value_begins_with_a_dash_then_it_passes(root: Path) -> None:
    catalogue = catalogue_of(root)

    assert catalogue.argv("level", {"text": "-3"}) == ["level", "-3"]
    assert codes(catalogue, "level", {"text": "3\n"}) == {"/arguments/text": "pattern"}


LS = """
[commands.ls]
description = ""
argv = ["ls", "{prefix}{sort}{name}", "./{name}"]
[commands.ls.parameters.prefix]
type = "text"
pattern = "-?[a-z]*"
[commands.ls.parameters.sort]
type = "enum"
values = ["", "by-"]
[commands.ls.parameters.name]
type = "text"
pattern = ".*"
"""


@pytest.mark.parametrize(
    ("prefix", "sort", "name", "dashed"),
    [("", "", "--delete", "name"), ("-", "", "-delete", "prefix"), ("-", "by-", "", "prefix")],
)
def test_given_empty_values_when_the_first_one_behind_them_begins_with_a_dash_then_it_is_refused(
    root: Path, prefix: str, sort: str, name: str, dashed: str
) -> None:
    arguments: dict[str, JsonValue] = {"prefix": prefix, "sort": sort, "name": name}

    assert codes(catalogue_of(root, LS), "ls", arguments) == {f"/arguments/{dashed}": "dash"}


@pytest.mark.parametrize(
    ("prefix", "sort", "name"), [("a", "", "-b"), ("", "by-", "-b"), ("", "", "b-"), ("", "", ""), ("a", "by-", "c")]
)
def test_given_a_text_before_the_dash_when_argv_is_built_then_it_passes(
    root: Path, prefix: str, sort: str, name: str
) -> None:
    argv = catalogue_of(root, LS).argv("ls", {"prefix": prefix, "sort": sort, "name": name})

    assert argv == ["ls", f"{prefix}{sort}{name}", f"./{name}"]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_given_any_text_when_it_fills_a_place_then_it_stays_one_element(text: str) -> None:
    assert Template("{{{value}}}").filled({"value": text}) == f"{{{text}}}"


ECHO = '[commands.echo]\ndescription = ""\nargv = ["echo", "{text}"]\n[commands.echo.parameters.text]\n'
ENUM = 'type = "enum"\nvalues = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "is no TOML"),
        ("", "commands: Field required"),
        (ECHO + 'type = "enum"\nvalues = ["a", "a"]', "command 'echo', parameter 'text': .*remove one"),
        (ECHO + 'type = "enum"\nvalues = ["-a"]', "command 'echo': .*parameter 'text'.*allow_dash = true"),
        (ECHO + 'type = "integer"\nminimum = -1\nmaximum = 1', "command 'echo': .*parameter 'text'.*allow_dash = true"),
        (
            LS.replace('"{prefix}{sort}{name}"', '"{sort}{level}", "{prefix}{name}"')
            + '[commands.ls.parameters.level]\ntype = "integer"\nminimum = -1\nmaximum = 1',
            "command 'ls': .*parameter 'level'.*allow_dash = true",
        ),
        (ECHO + 'type = "integer"\nminimum = 2\nmaximum = 1', "command 'echo', parameter 'text': .*exchange them"),
        (
            ECHO + 'type = "integer"\nminimum = "2"\nmaximum = 3',
            "parameter 'text', minimum: Input should be a valid int",
        ),
        (ECHO + 'type = "text"\npattern = "("', "parameter 'text': .*correct it"),
        (ECHO + 'type = "text"\npattern = "(?s)a"', "parameter 'text': .*correct it"),
        (ECHO + 'type = "text"\npattern = "a"\nmax_length = 99999', "parameter 'text', max_length: "),
        (ECHO + 'type = "path"\nroot = "a"', "parameter 'text': .*let it begin with /"),
        (ECHO + 'type = "path"\nroot = "/nowhere"', "parameter 'text': there is no folder /nowhere: create it"),
        (ECHO + 'type = "number"', "parameter 'text': .*'number'"),
        (ECHO + ENUM + "more = 1", "parameter 'text', more: Extra inputs"),
        (ECHO + ENUM + '[commands.echo.parameters.x]\ntype = "enum"\nvalues = ["a"]', "parameter 'x' stands nowhere"),
        (ECHO + ENUM + ECHO + ENUM, "Cannot declare"),
        (ECHO.replace("{text}", "{text} {x}") + ENUM, "command 'echo': .*{x}, which is no parameter: define it"),
        (ECHO.replace("{text}", "{text!r}") + ENUM, "no plain {name}"),
        (ECHO.replace("{text}", "{}") + ENUM, "no plain {name}"),
        (ECHO.replace("{text}", "{text") + ENUM, "is no template"),
        (ECHO.replace('["echo", ', "[") + ENUM, "is the program and takes no parameter"),
        (ECHO.replace('["echo", "{text}"]', "[]") + ENUM, "command 'echo', argv: "),
        (ECHO.replace("commands.echo", "commands.Echo_") + ENUM, "command 'Echo_'.*should match pattern"),
    ],
)
def test_given_a_file_with_a_mistake_when_it_is_read_then_the_start_stops_and_says_where_and_what_to_do(
    root: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"COMMANDS_FILE: .*{said}"):
        catalogue_of(root, text)


def test_given_no_file_when_it_is_read_then_the_start_stops(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TomlCatalogue(tmp_path / "none", resolve=True)
