"""What the model gets of a table: its name. The tools read it, however large it is."""

import json

from chatkit.types import Attachment
from openai.types.responses import ResponseInputContentParam, ResponseInputTextParam

from functions.toolkit.converter import Converter

from .table import is_table


class WithoutTables(Converter):
    async def attachment_to_message_content(
        self, attachment: Attachment
    ) -> ResponseInputContentParam:
        if not is_table(attachment):
            return await super().attachment_to_message_content(attachment)
        name = json.dumps(attachment.name, ensure_ascii=False)
        text = f"The user attached the file {name}. It is a table: your tools read it."
        return ResponseInputTextParam(type="input_text", text=text)
