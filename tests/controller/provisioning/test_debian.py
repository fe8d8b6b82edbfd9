"""Which mirror and keys are taken from the host, and what apt is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.errors import SetupError
from controller.provisioning import asterisk_prefix, debian

DEB822 = """\
# the distribution's own
Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/debian
# a comment inside
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.mark.parametrize(
    ("sources", "lines", "mirror"),
    [
        pytest.param(DEB822, "", "http://mirror.example/debian", id="deb822"),
        pytest.param("", "deb http://m.example/debian/ trixie main # ours", "http://m.example/debian/", id="one-line"),
        pytest.param("", "deb [arch=amd64] https://m.example/debian sid main", "https://m.example/debian", id="options"),
        pytest.param(DEB822.replace("Types: deb\n", "Types: deb\nEnabled: no\n"), "", None, id="disabled"),
        pytest.param("", "deb-src http://m.example/debian trixie main", None, id="only sources"),
        pytest.param("", "# deb http://m.example/debian trixie main", None, id="commented out"),
        pytest.param("", "deb http://m.example/ubuntu noble main", None, id="Ubuntu"),
        pytest.param("", "deb https://m.example/linux/debian bookworm stable", None, id="third party, no main"),
        pytest.param("", "deb [signed-by=/etc/x.gpg] https://x.example/debian bookworm main", None, id="its own key"),
        pytest.param("", "deb https://x.example/php bookworm main", None, id="third party, other path"),
        pytest.param("", "deb cdrom:[Debian]/ bookworm main", None, id="installation disc"),
        pytest.param(
            DEB822.replace("http://mirror.example/debian\n", "mirror+file:///etc/apt/mirrors/debian.list\n"),
            "", "mirror+file:///etc/apt/mirrors/debian.list", id="list of mirrors",
        ),
        pytest.param("", "", None, id="nothing"),
    ],
)  # fmt: skip
def test_mirror_is_the_main_archive_of_the_hosts_sources(tmp_path: Path, sources: str, lines: str, mirror: str | None) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(sources)
    (tmp_path / "sources.list").write_text(lines)
    assert debian.host_mirror(tmp_path) == mirror


def test_no_sources_at_all_name_no_mirror(tmp_path: Path) -> None:
    assert debian.host_mirror(tmp_path / "missing") is None


def test_keyring_is_the_whole_one_else_single_keys(tmp_path: Path) -> None:
    single = tmp_path / "etc/apt/trusted.gpg.d/debian-archive-trixie-automatic.asc"
    single.parent.mkdir(parents=True)
    single.touch()
    single.with_name("other.asc").touch()
    assert debian.host_keyrings(tmp_path) == (single,)
    whole = tmp_path / "usr/share/keyrings/debian-archive-keyring.gpg"
    whole.parent.mkdir(parents=True)
    whole.touch()
    assert debian.host_keyrings(tmp_path) == (whole,)
    assert debian.host_keyrings(tmp_path / "etc") == ()


def test_asterisk_is_pinned_to_22_and_nothing_else(tmp_path: Path) -> None:
    work = tmp_path / "work"
    fetcher = debian.Fetcher(work, "file:///nowhere/debian", lambda line: None)
    with pytest.raises(SetupError):
        fetcher.fetch("Asterisk", asterisk_prefix._ASTERISK)
    stanzas = (work / "preferences").read_text().strip().split("\n\n")
    assert stanzas == [
        "Package: asterisk asterisk-modules asterisk-config\nPin: version 1:22.*\nPin-Priority: 1001",
        "Package: asterisk asterisk-modules asterisk-config\nPin: release a=*\nPin-Priority: -1",
    ]
    assert "Signed-By: /" in (work / "sources/debian.sources").read_text()


@pytest.mark.parametrize("mirror", ["file:///nowhere/debian", "http://127.0.0.1:9/debian"])
def test_unreachable_mirror_is_one_line_that_names_it_and_how_to_mend(tmp_path: Path, mirror: str) -> None:
    fetcher = debian.Fetcher(tmp_path / "work", mirror, lambda line: None)
    with pytest.raises(SetupError) as caught:
        fetcher.fetch("Asterisk", asterisk_prefix._ASTERISK)
    assert "\n" not in str(caught.value)
    assert mirror in str(caught.value)
    assert "ATTENDANT_DEBIAN_MIRROR" in str(caught.value)


def test_path_with_blanks_does_not_confuse_apt(tmp_path: Path) -> None:
    fetcher = debian.Fetcher(tmp_path / "a folder", "file:///nowhere/debian", lambda line: None)
    with pytest.raises(SetupError, match="nowhere"):
        fetcher.fetch("Asterisk", asterisk_prefix._ASTERISK)


def test_other_systems_are_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"apt-get is not on this system.*ATTENDANT_ARI_URL"):
        debian.Fetcher(tmp_path / "work", "http://mirror.example/debian", lambda line: None)


def test_broken_package_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "x.deb"
    broken.write_text("no package")
    with pytest.raises(SetupError, match=re.escape(str(broken))):
        debian.unpack([broken], tmp_path / "tree")
