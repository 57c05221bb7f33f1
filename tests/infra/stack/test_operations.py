"""docs/operations.md tells what to do at each alarm."""

import re

from functions.settings import ROOT
from tests.infra.stack.variants import EVERYTHING

PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_each_alarm_has_its_section_and_no_section_is_about_another_one(synth):
    alarms = {
        name.removeprefix("Alarms")[:-8]
        for template in (synth(**EVERYTHING)["chatkit-prod"], synth()["chatkit-dev"])
        for name in template.of_type("AWS::CloudWatch::Alarm")
    }
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert {name for heading in headings for name in heading.split(", ")} == alarms
