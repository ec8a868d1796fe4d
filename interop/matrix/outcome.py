"""What came of one client's run, and how it is said. Runs nothing but the client."""

from dataclasses import dataclass

from harness.gateway import Gateway
from matrix.clients import Client
from matrix.script import ALL, FEATURES, Step, steps

@dataclass
class Outcome:
    """One client against all servers."""

    client: Client
    protocol: str
    #: Each step that the client has means for, with what was wrong.
    made: list[tuple[Step, str | None]]

    def wrong(self) -> list[str]:
        """What went wrong."""
        return [f"{step.server}, {step.feature}: {why}" for step, why in self.made if why]

    def shown(self) -> dict[str, set[str]]:
        """The features that the client showed, each with the servers that it showed it with."""
        return {feature: {step.server for step, _ in self.made if step.feature == feature} for feature in FEATURES}

    def unable(self) -> list[str]:
        """The features that this client has no means for, with any server."""
        return [feature for feature, servers in self.shown().items() if not servers]

    def line(self) -> str:
        servers = {step.server for step, _ in self.made} - {ALL}
        shown = [f"{feature} {len(with_servers - {ALL}) or 'all'}" for feature, with_servers in self.shown().items() if with_servers]
        said = f"{self.client} ({self.protocol}), {len(servers)} servers: {', '.join(shown)}"
        if self.unable():
            said += f"; has no means for: {', '.join(self.unable())}"
        return f"not ok - {said}; {'; '.join(self.wrong())}" if self.wrong() else f"ok - {said}"


def play(client: Client, gateway: Gateway) -> Outcome:
    """Runs the client through the whole script."""
    script = [step for step in steps(gateway, str(client)) if step.feature not in client.cannot]
    protocol, lines = client.play(gateway, script)
    lines += [{"error": "the client ended before"}] * (len(script) - len(lines))
    made = [(step, step.wrong(line)) for step, line in zip(script, lines, strict=True)]
    return Outcome(client, protocol, made)
