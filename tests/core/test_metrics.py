"""The metrics of a server and of queues, as values and as text."""

import math

import hypothesis
from hypothesis import strategies
from prometheus_client.parser import text_string_to_metric_families

from sturdis.core import info
from sturdis.core.bullmq.search import Look, Queue
from sturdis.core.metrics import queues, server
from sturdis.core.metrics.exposition import exposition
from sturdis.core.metrics.queues import Seen
from sturdis.core.metrics.sample import Metric, Sample
from sturdis.core.replies import ErrorReply, Reply

INFO = (
    "# Server\r\nserver_time_usec:1795458741278305\r\nuptime_in_seconds:41\r\n\r\n# Memory\r\n"
    "used_memory:1048576\r\nmaxmemory:644245094\r\nlatest_fork_usec:250\r\n"
    "aof_last_write_status:err\r\n# Commandstats\r\n"
    "cmdstat_client|list:calls=3,usec=1500,usec_per_call=1.00,rejected_calls=2,failed_calls=1\r\n"
    "# Errorstats\r\nerrorstat_OOM:count=7\r\n# Keyspace\r\ndb3:keys=5,expires=2,avg_ttl=1500\r\n"
)


def told(samples):
    return {(one.metric.name, *one.labels): one.value for one in samples}


def test_a_server_that_answers_gives_its_values_under_the_exporters_names():
    found = told(server.samples(info.parse(INFO), databases=4))
    expected = {
        ("redis_up",): 1,
        ("redis_uptime_in_seconds",): 41,
        ("redis_start_time_seconds",): 1795458700,
        ("redis_memory_used_bytes",): 1048576,
        ("redis_memory_max_bytes",): 644245094,
        ("redis_latest_fork_seconds",): 0.00025,
        ("redis_aof_last_write_status",): 0,
        ("redis_db_keys", "db0"): 0,
        ("redis_db_keys", "db3"): 5,
        ("redis_db_keys_expiring", "db3"): 2,
        ("redis_db_avg_ttl_seconds", "db3"): 1.5,
        ("redis_commands_total", "client|list"): 3,
        ("redis_commands_duration_seconds_total", "client|list"): 0.0015,
        ("redis_commands_rejected_calls_total", "client|list"): 2,
        ("redis_commands_failed_calls_total", "client|list"): 1,
        ("redis_errors_total", "OOM"): 7,
    }
    assert found | expected == found
    assert ("redis_connected_clients",) not in found, "a field that the server leaves out"
    assert ("redis_db_avg_ttl_seconds", "db0") not in found
    assert ("redis_db_keys", "db4") not in found


def test_every_metric_has_a_name_of_its_own():
    names = [one.name for one in (*server.METRICS, *queues.METRICS)]
    assert len(set(names)) == len(names)


MAILS = Look(Queue("bull", "mails"), paused=True, events=9, overdue=2, next_job="7")


def test_a_key_of_another_type_leaves_out_its_state_alone():
    counted: list[Reply] = [4, ErrorReply("WRONGTYPE …"), 0, 0, 3, 0, 2, 0]
    found = told(queues.samples([Seen(MAILS, 1000)], [counted], 3500))
    assert found == {
        ("bullmq_job_count", "bull", "mails", "active"): 4,
        ("bullmq_job_count", "bull", "mails", "delayed"): 0,
        ("bullmq_job_count", "bull", "mails", "failed"): 0,
        ("bullmq_job_count", "bull", "mails", "paused"): 3,
        ("bullmq_job_count", "bull", "mails", "prioritized"): 0,
        ("bullmq_job_count", "bull", "mails", "waiting"): 2,
        ("bullmq_job_count", "bull", "mails", "waiting-children"): 0,
        ("bullmq_queue_paused", "bull", "mails"): 1,
        ("bullmq_events_stream_length", "bull", "mails"): 9,
        ("bullmq_overdue_delayed_jobs", "bull", "mails"): 2,
        ("bullmq_oldest_waiting_job_age_seconds", "bull", "mails"): 2.5,
        ("bullmq_queues_left_out",): 0,
    }


def test_queues_beyond_the_limit_are_counted_and_not_hidden():
    found = told(queues.samples([Seen(MAILS, None)] * 3, [[0] * 8], 3500))
    assert found["bullmq_queues_left_out",] == 2
    assert found["bullmq_oldest_waiting_job_age_seconds", "bull", "mails"] == 0


TEXT = strategies.text(strategies.characters(codec="utf-8"))


@hypothesis.given(
    value=strategies.floats(allow_nan=False) | strategies.integers(-(2**53), 2**53),
    labels=strategies.tuples(TEXT, TEXT),
    meaning=TEXT,
)
def test_what_is_written_is_read_back_by_prometheus_own_reader(value, labels, meaning):
    metric = Metric("a_metric", "gauge", meaning, ("one", "other"))
    written = exposition([Sample(metric, value, labels)]).decode()
    (family,) = text_string_to_metric_families(written)
    (sample,) = family.samples
    assert (family.name, family.type) == ("a_metric", "gauge")
    assert sample.labels == {"one": labels[0], "other": labels[1]}
    assert math.isclose(sample.value, value, rel_tol=0)


def test_samples_of_one_metric_stand_together_below_one_head():
    one, other = Metric("one", "counter", "1.", ("l",)), Metric("other", "gauge", "2.")
    assert exposition([one(1, "a"), other(0.5), one(2, "b")]) == (
        b'# HELP one 1.\n# TYPE one counter\none{l="a"} 1\none{l="b"} 2\n'
        b"# HELP other 2.\n# TYPE other gauge\nother 0.5\n"
    )
