"""Which jobs the destroyed bytes name."""

from sturdis.core.drill import damage

UUID = "01234567-89ab-4def-8123-456789abcdef"
OTHER = "11234567-89ab-4def-8123-456789abcdef"


def test_jobs_are_named_by_their_data_as_both_languages_write_it():
    content = f'$9\r\n{{"uuid":"{UUID}","failures":0}}\r\n{{"uuid": "{OTHER}"}}'.encode()
    assert damage.jobs_in(content + content) == (UUID, OTHER)


def test_a_workers_token_is_no_job():
    assert damage.jobs_in(f"bull:q:1:lock {UUID}:3".encode()) == ()


def test_what_is_destroyed_has_its_size_and_its_jobs():
    gone = damage.destroyed(7, 2, f'{{"uuid":"{UUID}"}}'.encode())
    assert (gone.at, gone.round, gone.size, gone.uuids) == (7, 2, 47, (UUID,))
    assert not gone.everything


def test_a_file_is_safe_up_to_its_last_whole_unit():
    whole = b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"
    assert damage.safe_end(whole + whole[:9]) == len(whole)
