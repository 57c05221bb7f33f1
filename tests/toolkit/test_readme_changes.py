"""Every change that the README shows works as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from functions.llm import choose
from functions.settings import Settings
from functions.web.identity import identity_of
from functions.web.identity.oidc import OidcIdentity

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

PROGRAM = """\
import asyncio
import sys
from functions.assistant.features.wishes import WISHES
from functions.toolkit.testing import assistant_under_test, calls, says

DOCUMENT, QUESTION = sys.argv[1:]


async def main():
    async with assistant_under_test(model=[calls("roll_dice", sides=1), says("One.")]) as chat:
        assert (await chat.say("Roll")).call.result == "1"
    async with assistant_under_test(model=[calls("add_wish", wish="A boat"), says("Yes.")]) as chat:
        await chat.say("I want a boat")
        assert await chat.read(WISHES) == ["A boat"]
        chat.model = [says("A fine boat.")]
        said = await chat.say("Tell me more", mentions=await chat.entities("boat"))
        assert "A boat" in str(said.sent[0].input)
    async with assistant_under_test(model=[calls("show_lamp"), says("Here.")]) as chat:
        said = await chat.say("The lamp")
        assert '"label":"Off"' in said.widget.model_dump_json()
        pressed = await chat.press(said, "lamp.switch")
        assert '"label":"On"' in pressed.widget.model_dump_json()
    async with assistant_under_test(model=[calls("find_place")]) as chat:
        said = await chat.say("Where am I?")
        assert said.client_tool.name == "time_zone"
        chat.model = [says("In Lisbon, I think.")]
        assert (await chat.client_tool_result({"zone": "Europe/Lisbon"})).text.startswith("In")
    async with assistant_under_test(documents={"handbook/returns.md": DOCUMENT}) as chat:
        said = await chat.say(QUESTION)
        assert "30 days" in said.text, said.text
        sources = [each.source for part in said.new[-1].content for each in part.annotations]
        assert {each.title for each in sources} == {"handbook/returns.md"}


asyncio.run(main())
"""


def test_the_features_of_the_readme_do_what_it_says(tmp_path):
    shutil.copytree(
        ROOT / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__")
    )
    features = re.findall(
        r"`(functions/assistant/features/\w+\.py)`:\n\n```python\n(.*?)```", README, re.DOTALL
    )
    assert len(features) == 4
    for name, text in features:
        (tmp_path / name).write_text(text)
    (document,) = re.findall(r"`handbook/returns.md`:\n\n```markdown\n(.*?)```", README, re.DOTALL)
    (question,) = re.findall(r"`make ingest DIR=handbook` .*? ask “(.*?)”", README)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, document, question],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_lines_for_the_environment_are_settings_that_work(tmp_path):
    (lines,) = re.findall(r"```sh\n(# another model\n.*?)```", README, re.DOTALL)
    env = tmp_path / ".env"
    env.write_text(lines.replace("…", "x"))
    settings = Settings(_env_file=env)
    choice = choose(settings)
    assert (choice.provider, choice.names) == ("openai", ("gpt-5",))
    assert [server.name for server in settings.mcp_servers] == ["shop"]
    assert isinstance(identity_of(settings), OidcIdentity)
