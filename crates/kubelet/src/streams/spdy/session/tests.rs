use std::time::Duration;

use super::*;

fn open(headers: &mut Writer, stream: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
    let block = headers.write(pairs);
    let mut bytes = vec![0x80, 3, 0, 1, 0];
    bytes.extend(&u32::try_from(block.len() + 10).unwrap().to_be_bytes()[1..]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend([0; 6]);
    bytes.extend(block);
    bytes
}

#[tokio::test]
async fn streams_carry_data_both_ways() {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let mut session = Session::open(server);
    let mut headers = Writer::new();
    client
        .write_all(&open(&mut headers, 1, &[("streamType", "data"), ("port", "80")]))
        .await
        .unwrap();
    client.write_all(&frame::data(1, false, &vec![7; 100_000])).await.unwrap();
    client.write_all(&frame::data(1, true, b"end")).await.unwrap();
    client.write_all(&frame::ping(3)).await.unwrap();
    let mut stream = session.accept().await.unwrap();
    assert_eq!(
        (stream.header("streamtype"), stream.header("port"), stream.header("no")),
        ("data", "80", "")
    );
    let mut came = Vec::new();
    while let Some(piece) = stream.incoming.recv().await {
        assert!(piece.len() <= PIECE);
        came.extend_from_slice(&piece);
    }
    assert_eq!((came.len(), &came[100_000..]), (100_003, &b"end"[..]));
    assert!(stream.outgoing.send("hello".into()).await);
    stream.outgoing.end().await;
    let (gone, finishing) = (session.link.gone(), tokio::spawn(session.link.finish()));
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.unwrap();
    let expected = [
        frame::reply(1, &Writer::new().write(&[])),
        frame::ping(3),
        frame::data(1, false, b"hello"),
        frame::data(1, true, b""),
        frame::go_away(1),
    ];
    assert_eq!(said, expected.concat());
    assert!(!gone.is_cancelled());
    drop(client);
    finishing.await.unwrap();
    assert!(gone.is_cancelled());
}

#[tokio::test]
async fn what_a_client_may_not_do_ends_its_connection() {
    let mut headers = Writer::new();
    let twice = [open(&mut headers, 3, &[]), open(&mut headers, 3, &[])].concat();
    let nonsense = b"GET / HTTP/1.1\r\n\r\n".repeat(1000);
    for bytes in [
        twice,
        open(&mut Writer::new(), 2, &[]),
        nonsense,
        vec![0x80, 3, 0, 1, 0, 0, 0, 1, 0],
        vec![0x80],
    ] {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut session = Session::open(server);
        client.write_all(&bytes).await.unwrap();
        drop(client);
        session.link.gone().cancelled().await;
        while session.accept().await.is_some() {}
    }
}

/// A frame that is the last of its stream.
fn last(mut frame: Vec<u8>) -> Vec<u8> {
    frame[4] = 1;
    frame
}

fn reset(stream: u32) -> Vec<u8> {
    // All that one says of a stream is that it is not wanted.
    frame::refuse(stream)
}

#[tokio::test]
async fn a_client_cannot_open_streams_without_end() {
    let (mut client, server) = tokio::io::duplex(1 << 22);
    let mut session = Session::open(server);
    let mut headers = Writer::new();
    let mut numbers = (1..).step_by(2);
    let mut streams = Vec::new();
    // Those that the client has ended are as open as the others while something can be said through them.
    for number in numbers.by_ref().take(MOST_STREAMS) {
        let frame = open(&mut headers, number, &[]);
        let frame = match number % 3 {
            0 => last(frame),
            1 => [frame, last(frame::data(number, false, b""))].concat(),
            _ => frame,
        };
        client.write_all(&frame).await.unwrap();
        streams.push(session.accept().await.unwrap());
    }
    let (refused, ping) = (numbers.next().unwrap(), frame::ping(1));
    client.write_all(&open(&mut headers, refused, &[])).await.unwrap();
    client.write_all(&ping).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(&ping) {
        said.push(client.read_u8().await.unwrap());
    }
    assert!(said.ends_with(&[frame::refuse(refused), ping].concat()));
    drop(streams.split_off(MOST_STREAMS - 1));
    for number in numbers.by_ref().take(2) {
        client.write_all(&open(&mut headers, number, &[])).await.unwrap();
    }
    client.shutdown().await.unwrap();
    while let Some(stream) = session.accept().await {
        streams.push(stream);
    }
    assert_eq!(streams.len(), MOST_STREAMS);
}

#[tokio::test]
async fn a_stream_that_is_not_wanted_takes_nothing_more_though_its_client_had_ended_it() {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let mut session = Session::open(server);
    client.write_all(&last(open(&mut Writer::new(), 1, &[]))).await.unwrap();
    let Stream { mut incoming, outgoing, .. } = session.accept().await.unwrap();
    assert!(incoming.recv().await.is_none());
    assert!(outgoing.send("wanted".into()).await);
    client.write_all(&reset(1)).await.unwrap();
    outgoing.unwanted().cancelled().await;
    assert!(!outgoing.send("not wanted".into()).await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_is_noticed_though_its_input_is_held_up() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let mut session = Session::open(server);
    client.write_all(&open(&mut Writer::new(), 1, &[])).await.unwrap();
    let stream = session.accept().await.unwrap();
    let writing = tokio::spawn(async move {
        client.write_all(&frame::data(1, false, &vec![0; 1 << 20])).await.unwrap();
    });
    let mut said = session.link.gone();
    assert!(tokio::time::timeout(Duration::from_mins(1), said.cancelled()).await.is_err());
    // With it goes the client.
    writing.abort();
    said = session.link.gone();
    tokio::time::timeout(Duration::from_mins(1), said.cancelled()).await.unwrap();
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_silent_session_gives_signs_of_life_and_answers_no_answers() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let session = Session::open(server);
    client.write_all(&[frame::ping(2), frame::ping(7)].concat()).await.unwrap();
    let mut said = vec![0; frame::ping(0).len() * 3];
    client.read_exact(&mut said).await.unwrap();
    let sign = frame::ping(u32::MAX);
    assert_eq!(said, [frame::ping(7), sign.clone(), sign].concat());
    drop(session);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_though_its_client_reads_nothing() {
    let (mut client, server) = tokio::io::duplex(64);
    let mut session = Session::open(server);
    client.write_all(&open(&mut Writer::new(), 1, &[])).await.unwrap();
    let stream = session.accept().await.unwrap();
    for _ in 0..WAITING {
        assert!(stream.outgoing.send(vec![0; PIECE].into()).await);
    }
    tokio::time::timeout(Duration::from_hours(5), session.link.finish()).await.unwrap();
}
