"""An MCP server of the protocol's own SDK; run as a file it speaks over its pipes."""

from __future__ import annotations

import os

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError


def server() -> MCPServer[None]:
    """A server with a few tools, a prompt and resources."""
    made: MCPServer[None] = MCPServer("test", instructions="none")

    @made.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @made.tool()
    async def tell(words: str, ctx: Context[None]) -> str:
        """Report progress, then answer."""
        await ctx.report_progress(1, 2)
        return words.upper()

    @made.tool()
    def fail() -> str:
        """Fail."""
        raise ToolError("no luck")

    @made.tool()
    def environment() -> str:
        """Say what the environment has."""
        return " ".join(sorted(os.environ))

    @made.prompt()
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Say hello to {name}"

    @made.resource("config://app")
    def config() -> str:
        """Configuration."""
        return "debug"

    @made.resource("users://{name}")
    def user(name: str) -> str:
        """Somebody."""
        return name

    return made


if __name__ == "__main__":
    server().run("stdio")
