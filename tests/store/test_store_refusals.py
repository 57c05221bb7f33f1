"""What a refused transaction tells of each of its actions."""

from functions.store.table import ConditionFailed


def test_an_action_that_conflicted_with_another_write_has_not_failed_its_condition():
    refused = ConditionFailed(
        [
            {"Code": "TransactionConflict"},
            {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "met"}}},
            {"Code": "None"},
        ]
    )
    assert refused.failed == {1}
    assert refused.rows == {1: {"pk": {"S": "met"}}}
