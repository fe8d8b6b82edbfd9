"""Text to speech by engines of every sort, and by none."""

from __future__ import annotations

import asyncio
import shutil
import stat
from pathlib import Path

import pytest

from controller.errors import InvalidInput
from controller.prompts import speech
from controller.prompts.audio import convert
from controller.prompts.files import PromptFolder
from controller.prompts.speech import Voice, find_voices, speak
from controller.prompts.workshop import Workshop
from controller.softphone import tones
from tests.fixtures.soundfiles import wav_file

ESPEAK = """#!/bin/sh
case "$*" in
--voices=en) printf 'Pty Language Age/Gender VoiceName File Other\\n 2 en-us --/M English_(America) gmw/en-US\\n' ;;
--voices=ru) printf 'Pty Language Age/Gender VoiceName File Other\\n 5 ru --/M Russian zle/ru\\n 5 ru --/M other mb/mb-ru\\n' ;;
*) cat > "$HEARD"; for last; do :; done; cp "$SPOKEN" "$last" ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that has an engine which always says the same: a tone."""
    monkeypatch.setenv("SPOKEN", str(wav_file(tmp_path / "said.wav", tones.sine(700, 8000, 8000))))
    monkeypatch.setenv("HEARD", str(tmp_path / "heard.txt"))
    folder = tmp_path / "bin"
    folder.mkdir()
    _program(folder / "espeak-ng", ESPEAK)
    return folder


def voices(programs: Path) -> list[Voice]:
    return find_voices(programs.parent / "voices", str(programs))


@pytest.mark.covers("UIS-47")
def test_the_voices_of_an_engine_are_offered_by_language(programs: Path) -> None:
    assert [(voice.id, voice.language, voice.title) for voice in voices(programs)] == [
        ("espeak-ng:en-us", "en", "English (America) (espeak-ng)"),
        ("espeak-ng:ru", "ru", "Russian (espeak-ng)"),
    ]


@pytest.mark.covers("UIS-47")
async def test_a_text_becomes_a_sound_for_the_library(programs: Path, tmp_path: Path) -> None:
    workshop = Workshop(PromptFolder(tmp_path / "prompts"), 600)
    async with workshop.spoken("--help; $(reboot) Здравствуйте", voices(programs)[1]) as sound:
        assert (tmp_path / "heard.txt").read_text() == "--help; $(reboot) Здравствуйте"
        assert sound.facts.format == "wav" and sound.facts.length_seconds == pytest.approx(1.0, abs=0.05)
    assert list((tmp_path / "prompts" / "incoming").iterdir()) == []


def test_piper_has_the_voices_of_its_folder_and_comes_first(programs: Path, tmp_path: Path) -> None:
    _program(programs / "piper", "#!/bin/sh\n")
    (tmp_path / "voices").mkdir()
    for name in ("ru_RU-irina-medium.onnx", "en_US-joe-medium.onnx", "de_DE-eva-low.onnx", "en_US-joe-medium.onnx.json"):
        (tmp_path / "voices" / name).touch()
    assert [voice.id for voice in voices(programs)][:2] == ["piper:en_US-joe-medium", "piper:ru_RU-irina-medium"]


def test_festival_has_the_voices_that_are_installed(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_FESTIVAL_VOICES", tmp_path / "festival")
    for name in ("russian/msu_ru_nsh_clunits", "us/cmu_us_slt_arctic_hts", "welsh/cymraeg"):
        (tmp_path / "festival" / name).mkdir(parents=True)
    _program(programs / "text2wave", "#!/bin/sh\n")
    found = [voice for voice in voices(programs) if voice.id.startswith("festival")]
    assert [(voice.id, voice.language) for voice in found] == [
        ("festival:msu_ru_nsh_clunits", "ru"),
        ("festival:cmu_us_slt_arctic_hts", "en"),
    ]
    assert "(voice_msu_ru_nsh_clunits)" in found[0].command


def test_without_an_engine_there_is_no_voice(tmp_path: Path) -> None:
    assert find_voices(tmp_path / "voices", str(tmp_path)) == []


@pytest.mark.parametrize(
    ("program", "said"),
    {
        "fails": ("#!/bin/sh\necho 'no such voice' >&2; exit 1\n", "could not speak it: no such voice"),
        "silent": ("#!/bin/sh\n", "it gives no reason"),
        "slow": ("#!/bin/sh\nexec sleep 60\n", "did not answer"),
    }.values(),
)
def test_an_engine_that_fails_is_named(programs: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str) -> None:
    voice = voices(programs)[0]
    _program(programs / "espeak-ng", program)
    monkeypatch.setattr(speech, "SPEECH_SECONDS", 0.5)
    with pytest.raises(InvalidInput, match=said) as refused:
        speak("Hello", voice, programs.parent / "out.wav")
    assert [problem.field for problem in refused.value.problems] == ["text"]


async def test_no_more_than_two_sounds_are_made_at_once(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop, now, most = Workshop(PromptFolder(tmp_path / "prompts"), 600), 0, 0
    loop = asyncio.get_running_loop()
    passed = asyncio.Event()

    def prepare(*_: object) -> None:
        asyncio.run_coroutine_threadsafe(count(1), loop).result()
        asyncio.run_coroutine_threadsafe(passed.wait(), loop).result()
        asyncio.run_coroutine_threadsafe(count(-1), loop).result()

    async def count(step: int) -> None:
        nonlocal now, most
        now += step
        most = max(most, now)
        if now == 2:
            passed.set()

    async def one() -> None:
        with (programs / "espeak-ng").open("rb") as file:
            async with workshop.prepared(file):
                pass

    monkeypatch.setattr(workshop.folder, "prepare", prepare)
    await asyncio.gather(*(one() for _ in range(5)))
    assert most == 2


@pytest.fixture
def espeak() -> str:
    """A real espeak-ng."""
    found = shutil.which("espeak-ng")
    assert found, "apt install espeak-ng, or leave this out: SKIP=speech"
    return found


@pytest.mark.covers("UIS-47")
@pytest.mark.parametrize(("language", "text"), [("en", "Please hold the line"), ("ru", "Пожалуйста, оставайтесь на линии")])
def test_a_real_engine_speaks(espeak: str, tmp_path: Path, language: str, text: str) -> None:
    voice = next(voice for voice in find_voices(tmp_path, str(Path(espeak).parent)) if voice.language == language)
    speak(text, voice, tmp_path / "spoken.wav")
    assert 0.8 < convert(tmp_path / "spoken.wav", tmp_path, 60).length_seconds < 5


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
