"""An assistant with tools that ask for approval: one of the toolkit, and one of the Agents SDK."""

from functions.toolkit import Assistant, Turn, tool

DONE = []
"""What the tools have done."""


@tool(needs_approval=True)
async def send_money(turn: Turn, to: str, amount: int) -> str:
    """Sends money."""
    DONE.append(("send_money", to, amount))
    return f"{turn.request_context.user_id} has sent {amount} to {to}."


class Careful(Assistant):
    def agent_for(self, turn):
        from agents import Agent, function_tool

        @function_tool(needs_approval=True)
        def delete_file(name: str) -> str:
            """Deletes a file."""
            DONE.append(("delete_file", name))
            return f"{name} is deleted."

        return Agent(
            name="Careful",
            instructions="You are careful.",
            tools=[send_money.function_tool, delete_file],
        )


assistant = Careful()
