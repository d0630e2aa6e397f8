"""`nommer doctor`: each line ok or a problem, and what to do."""

from cli_shell import Shell


def test_all_is_well_on_a_fresh_machine_and_nothing_is_made(shell: Shell) -> None:
    said = shell.run("doctor")

    assert said.status == 0, said.out
    words = [line.split()[:2] for line in said.out.splitlines()]
    looked_at = (
        "ffmpeg",
        "encoders",
        "landlock",
        "data_dir",
        "scratch_dir",
        "sealing",
        "store",
        "work",
    )
    assert words == [["ok", each] for each in looked_at]
    assert shell.left_behind() == []


def test_a_missing_ffmpeg_is_a_problem_with_advice(shell: Shell) -> None:
    said = shell.run("doctor", env={"NOMMER_FFMPEG": "/nowhere/ffmpeg"})

    assert said.status == 1
    assert "problem  ffmpeg" in said.out
    assert "Correct the setting, or remove it" in said.out


def test_something_that_is_no_ffmpeg_is_a_problem(shell: Shell) -> None:
    said = shell.run("doctor", env={"NOMMER_FFMPEG": "/bin/true"})

    assert said.status == 1
    assert "is not an FFmpeg" in said.out


def test_a_folder_that_cannot_be_is_a_problem(shell: Shell) -> None:
    (shell.folder / "file").touch()

    said = shell.run("doctor", "--data-dir", "file/data")

    assert said.status == 1
    assert "problem  data_dir" in said.out


def test_a_store_that_no_adapter_serves_is_a_problem(shell: Shell) -> None:
    said = shell.run("doctor", env={"NOMMER_STORE": "oracle://db"})

    assert said.status == 1
    assert "problem  store" in said.out
    assert "oracle://db" in said.out


def test_a_sealing_key_is_looked_at_and_not_told(shell: Shell) -> None:
    key = shell.folder / "sealing.key"
    env = {"NOMMER_SEALING_KEY": f"file://{key}"}

    missing = shell.run("doctor", env=env)
    key.write_text("5a" * 32)
    there = shell.run("doctor", "--json", env=env)
    out_of_reach = shell.run("doctor", env={**env, "NOMMER_FLEET": "ec2"})

    assert "problem  sealing key" in missing.out
    (found,) = (each for each in there.document if each["what"] == "sealing key")
    assert (found["ok"], found["detail"]) == (True, f"file://{key}")
    assert "machines of EC2 have no way to" in out_of_reach.out
    assert "5a5a" not in there.out + out_of_reach.out


def test_findings_are_json_where_that_is_wanted(shell: Shell) -> None:
    said = shell.run("doctor", "--json")

    assert said.status == 0
    assert [finding["ok"] for finding in said.document] == [True] * 8
