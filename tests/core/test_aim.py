import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import address as addresses
from sturdis.core import aim
from sturdis.core.address import Address, Tls
from sturdis.core.aim import TargetRequest
from sturdis.core.errors import TargetError, UsageError
from sturdis.core.local import Running, Serving
from sturdis.core.spec import Spec


def up(port: int, *, ephemeral: bool = False) -> Running:
    serving = Serving(
        "127.0.0.1", port, "http://m", "/d", ephemeral, "redis", "/r", "named", tested=True
    )
    return Running(serving, Spec())


def test_the_one_named_goes_before_the_variable_and_that_before_a_running_up():
    environ = {"STURDIS_TARGET": "redis://b"}
    assert aim.choose(TargetRequest("redis://a"), environ, [up(1)]).address.host == "a"
    assert aim.choose(TargetRequest(), environ, [up(1)]).address.host == "b"
    assert aim.choose(TargetRequest(), {}, [up(1)]).address == Address("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("request_", "environ"), [(TargetRequest(""), {}), (TargetRequest(), {"STURDIS_TARGET": ""})]
)
def test_an_empty_target_is_not_the_running_up(request_, environ):
    with pytest.raises(UsageError) as refusal:
        aim.choose(request_, environ, [up(1)])
    assert refusal.value.code == "usage.address"


def test_the_up_that_serves_an_address_is_known():
    assert aim.choose(TargetRequest("redis://localhost:2"), {}, [up(1), up(2)]).running == up(2)
    assert aim.choose(TargetRequest("unix:///r.sock"), {}, [up(6379)]).running is None


def test_among_several_the_verb_that_was_used_is_named():
    several = [up(1, ephemeral=True), up(2, ephemeral=True)]
    with pytest.raises(TargetError) as told:
        aim.choose(TargetRequest(naming="sturdis cli --target"), {}, several)
    assert told.value.do == "name one: sturdis cli --target redis://127.0.0.1:1"
    assert aim.choose(TargetRequest(), {}, [*several, up(3)]).address.port == 3


@pytest.mark.parametrize(
    ("address", "file", "variable", "password", "offered"),
    [
        ("redis://:a@h", None, "v", "a", False),
        ("redis://h", "f", "v", "f", False),
        ("redis://h", None, "v", "v", True),
        ("redis://h", None, "", None, False),
    ],
)
def test_the_password_nearest_to_the_address_counts(address, file, variable, password, offered):
    chosen = aim.choose(TargetRequest(address, file), {"REDISCLI_AUTH": variable}, []).address
    assert (chosen.password, chosen.password_offered) == (password, offered)


@pytest.mark.parametrize(
    "request_",
    [
        TargetRequest("redis://:a@h", "f"),
        TargetRequest("redis://h", tls=Tls(ca="ca.pem")),
        TargetRequest("unix:///r.sock", tls=Tls(ca="ca.pem")),
        TargetRequest("rediss://h", tls=Tls(key="key.pem")),
        TargetRequest(tls=Tls(ca="ca.pem")),
    ],
)
def test_options_that_do_not_fit_the_address_are_refused(request_):
    with pytest.raises(UsageError) as refusal:
        aim.choose(request_, {}, [up(1)])
    assert refusal.value.code == "usage"


FILE = st.none() | st.text(min_size=1)


@given(
    st.sampled_from(["redis://u:s3cr3t@[::1]:1/2", "rediss://h", "unix://:s3cr3t@/a%20%27b?db=1"]),
    st.builds(Tls, ca=FILE),
)
def test_the_words_that_reach_it_again_are_whole_and_hold_no_password(named, tls):
    request = TargetRequest(named, tls=tls if named.startswith("rediss") else Tls())
    chosen = aim.choose(request, {}, [])
    assert "s3cr3t" not in chosen.cli
    verb, *words = shlex.split(chosen.cli)[1:]
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert verb == "cli"
    told = addresses.parse(options["--target"])
    assert str(told) == str(chosen.address)
    assert options.get("--tls-ca") == request.tls.ca
    assert options.get("--password-file") == (None if told.tls else "-")


def test_what_the_environment_says_need_not_be_typed_again():
    environ = {"STURDIS_TARGET": "rediss://:s3cr3t@h"}
    tls = Tls("ca.pem", "cert.pem", "key.pem")
    chosen = aim.choose(TargetRequest(tls=tls), environ, [])
    assert chosen.cli == "sturdis cli --tls-ca ca.pem --tls-cert cert.pem --tls-key key.pem"
    secret = TargetRequest(password="s3cr3t", password_file="/run/my secret")
    assert aim.choose(secret, {}, [up(1)]).cli == "sturdis cli --password-file '/run/my secret'"
    assert "s3cr3t" not in repr(secret)
