"""An assistant with tools that ask for approval: one of the toolkit, and one of the Agents SDK."""

from functions.toolkit import Assistant, Turn, tool

DONE = []
"""What the tools have done."""


@tool(needs_approval=True)
async def send_money(turn: Turn, to: str, amount: int) -> str:
    """Sends money."""
    DONE.append(("send_money", to, amount))
    return f"{turn.request_context.user_id} has sent {amount} to {to}."


def shop():
    """An MCP server whose tool asks for approval."""
    from agents.mcp import MCPServer
    from mcp.types import CallToolResult, TextContent, Tool

    class Shop(MCPServer):
        name = "shop"

        async def connect(self):
            pass

        async def cleanup(self):
            pass

        async def list_tools(self, run_context=None, agent=None):
            schema = {"type": "object", "properties": {"what": {"type": "string"}}}
            return [Tool(name="order", inputSchema=schema)]

        async def call_tool(self, tool_name, arguments, meta=None):
            DONE.append((tool_name, arguments))
            return CallToolResult(content=[TextContent(type="text", text="It is ordered.")])

        async def list_prompts(self):
            raise NotImplementedError

        async def get_prompt(self, name, arguments=None):
            raise NotImplementedError

    return Shop(require_approval="always")


class Careful(Assistant):
    name = "Careful"
    servers = ()

    def agent_for(self, turn):
        from agents import Agent, function_tool

        @function_tool(needs_approval=True)
        def delete_file(name: str) -> str:
            """Deletes a file."""
            DONE.append(("delete_file", name))
            return f"{name} is deleted."

        clerk = Agent(name="Clerk", instructions="You delete.", tools=[delete_file])
        return Agent(
            name=self.name,
            instructions="You are careful.",
            tools=[send_money.function_tool, delete_file, clerk.as_tool("ask_clerk", "Asks.")],
            mcp_servers=list(self.servers),
        )


assistant = Careful()
