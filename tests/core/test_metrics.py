from sturdis.core import metrics

INFO = (
    "# Clients\r\nconnected_clients:3\r\n\r\n# Memory\r\nused_memory:1048576\r\n"
    "maxmemory:644245094\r\n# Stats\r\ntotal_commands_processed:42\r\n"
)


def test_a_server_that_answers_gives_its_values_under_the_exporters_names():
    found = {one.metric.name: one.value for one in metrics.samples(metrics.parse_info(INFO))}
    assert found == {
        "redis_up": 1,
        "redis_memory_used_bytes": 1048576,
        "redis_memory_max_bytes": 644245094,
        "redis_commands_processed_total": 42,
        "redis_connected_clients": 3,
    }


def test_a_server_that_does_not_answer_is_down_and_has_no_values():
    assert [(one.metric.name, one.value) for one in metrics.samples(None)] == [("redis_up", 0)]


def test_a_field_that_the_server_leaves_out_is_left_out():
    names = {one.metric.name for one in metrics.samples({"maxmemory": "0"})}
    assert names == {"redis_up", "redis_memory_max_bytes"}
