"""The smallest assistant: an agent, and nothing of the toolkit."""

from agents import Agent, function_tool


@function_tool
def lucky_number() -> int:
    """The visitor's lucky number."""
    return 7


assistant = Agent(name="Minimal", instructions="You are minimal.", tools=[lucky_number])
