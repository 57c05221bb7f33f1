"""What a refused transaction tells of each of its actions."""

from functions.store.table import ConditionFailed


def test_an_action_that_met_anothers_write_is_not_one_whose_condition_failed():
    refused = ConditionFailed(
        [
            {"Code": "TransactionConflict"},
            {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "met"}}},
            {"Code": "None"},
        ]
    )
    assert refused.failed == {1}
    assert refused.rows == {1: {"pk": {"S": "met"}}}
