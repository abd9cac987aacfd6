"""What each operator means, in one sentence for people: screens, documentation and editors show it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.facts import FactType
from firebreak.core.policy.clause import Operator

MEANINGS: Mapping[Operator, str] = MappingProxyType(
    {
        Operator.EQUALS: "It is exactly this; a bare value means the same.",
        Operator.IN: "It is one of these.",
        Operator.NOT_IN: "It is none of these.",
        Operator.IN_SET: "It, or one of the list, is in the set of firebreak.yaml that is named here.",
        Operator.NOT_IN_SET: "It, or all of the list, is outside the set of firebreak.yaml that is named here.",
        Operator.AT_LEAST: "It is this or more, this time or later.",
        Operator.AT_MOST: "It is this or less, this time or earlier.",
        Operator.NEWER_THAN: "It was less than this long ago, as 90s, 30m, 4h or 7d.",
        Operator.OLDER_THAN: "It was more than this long ago, as 90s, 30m, 4h or 7d.",
        Operator.GLOB: "It, or one of the list, fits as a whole: * is any run of characters, ? any one.",
        Operator.CONTAINS: "The list holds this.",
        Operator.CONTAINS_ANY: "The list holds at least one of these.",
        Operator.CONTAINS_ALL: "The list holds all of these.",
        Operator.EXISTS: "true: it is known and not empty; false: it is known to be empty.",
    }
)
TYPES: Mapping[FactType, str] = MappingProxyType(
    {
        FactType.TEXT: "text",
        FactType.NUMBER: "number",
        FactType.BOOL: "true or false",
        FactType.TEXTS: "list of texts",
        FactType.TIME: "time",
    }
)
