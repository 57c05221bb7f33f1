"""`ConditionFailed`: which actions of a transaction failed, and the rows that they found."""

from functions.store.table import ConditionFailed


def test_an_action_that_conflicted_with_another_write_has_not_failed_its_condition():
    failure = ConditionFailed(
        [
            {"Code": "TransactionConflict"},
            {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "found"}}},
            {"Code": "None"},
        ]
    )
    assert failure.failed == {1}
    assert failure.rows == {1: {"pk": {"S": "found"}}}
