"""The official conformance suite against the fixture, directly and through the gateway."""
