"""The functions: their limits, URLs, aliases and logs."""

from pathlib import Path

from tests.infra.stack.parts import a_function


def test_a_function_is_python_on_arm_with_its_limits_and_json_logs(bare):
    template = bare(a_function)
    function = template.only("AWS::Lambda::Function")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert (function["MemorySize"], function["Timeout"]) == (512, 60)
    assert function["ReservedConcurrentExecutions"] == 3
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert "SnapStart" not in function
    assert template.only("AWS::Logs::LogGroup")["RetentionInDays"] == 7


def test_no_concurrency_is_reserved_when_none_is_asked_for(bare):
    function = bare(lambda s: a_function(s, concurrency=0)).only("AWS::Lambda::Function")
    assert "ReservedConcurrentExecutions" not in function


def test_a_url_streams_from_the_alias_of_a_published_version_and_wants_signatures(bare):
    template = bare(a_function)
    url = template.only("AWS::Lambda::Url")
    assert url["AuthType"] == "AWS_IAM"
    assert url["InvokeMode"] == "RESPONSE_STREAM"
    assert url["Qualifier"] == template.only("AWS::Lambda::Alias")["Name"] == "live"
    assert "Cors" not in url
    assert len(template.of_type("AWS::Lambda::Version")) == 1


def test_a_function_starts_from_a_snapshot_when_asked(bare):
    function = bare(lambda s: a_function(s, snap_start=True)).only("AWS::Lambda::Function")
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_a_functions_role_writes_its_own_logs_and_has_no_managed_policy(bare):
    template = bare(a_function)
    assert "ManagedPolicyArns" not in template.only("AWS::IAM::Role")
    (statement,) = template.only("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {
        "Fn::GetAtt": [next(iter(template.of_type("AWS::Logs::LogGroup"))), "Arn"]
    }


def test_only_a_snap_start_that_somebody_waits_for_is_paid(synth):
    (template,) = synth(snapStart="true").values()
    started = {
        name: "SnapStart" in template.only("AWS::Lambda::Function", f"{name}Function")
        for name in ("Chat", "Actions", "Events")
    }
    assert started == {"Chat": True, "Actions": True, "Events": False}


def test_answers_stream_and_actions_are_buffered_shorter_and_may_do_less(dev):
    chat = dev.only("AWS::Lambda::Function", "ChatFunction")
    actions = dev.only("AWS::Lambda::Function", "ActionsFunction")
    assert dev.only("AWS::Lambda::Url", "Chat")["InvokeMode"] == "RESPONSE_STREAM"
    assert dev.only("AWS::Lambda::Url", "Actions")["InvokeMode"] == "BUFFERED"
    assert actions["Timeout"] < chat["Timeout"]
    assert chat["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == (
        "/var/task/functions/lambda_stream/bootstrap"
    )
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in actions["Environment"]["Variables"]


def test_concurrency_is_limited_by_default(dev):
    for name in ("Chat", "Actions", "Events"):
        function = dev.only("AWS::Lambda::Function", f"{name}Function")
        assert 0 < function["ReservedConcurrentExecutions"] <= 50


def test_every_log_group_forgets(templates):
    for template in templates.values():
        for group in template.of_type("AWS::Logs::LogGroup").values():
            assert group["Properties"]["RetentionInDays"] == 30


def test_every_function_writes_to_a_log_group_that_forgets(templates):
    """Those that the CDK adds too."""
    for name, template in templates.items():
        assert template.without_logs_that_end() == [], name


def test_make_lambda_starts_what_the_template_says(dev):
    from infra.emulator import project

    chat = dev.only("AWS::Lambda::Function", "ChatFunction")
    actions = dev.only("AWS::Lambda::Function", "ActionsFunction")
    assert chat["Handler"] == project.CHAT_HANDLER
    assert actions["Handler"] == project.ACTIONS_HANDLER
    events = dev.only("AWS::Lambda::Function", "EventsFunction")
    assert events["Handler"] == project.EVENTS_HANDLER
    changes = dev.only("AWS::Lambda::Function", "ChangesFunction")
    assert changes["Handler"] == project.CHANGES_HANDLER
    for function, started in (
        (events, project.events_configuration(Path(), {})),
        (changes, project.changes_configuration(Path(), {})),
    ):
        assert (function["Timeout"], function["MemorySize"]) == (started.timeout, started.memory)
    assert chat["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == project.WRAPPER
