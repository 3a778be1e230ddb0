use super::*;

fn gate() -> Gate {
    Gate::new(&Limits {
        handshakes: 4,
        handshakes_per_address: 2,
        connections: 3,
        connections_per_partner: 2,
        ..Limits::default()
    })
}

fn oin(last: u8) -> Oin {
    format!("0000009900000000{last}000").parse().unwrap()
}

#[test]
fn an_address_has_its_share_of_the_handshakes_and_gives_it_back() {
    let gate = gate();
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    let first = gate.knock(address(1)).unwrap();
    let _second = gate.knock(address(1)).unwrap();
    assert_eq!(gate.knock(address(1)).unwrap_err(), Full::HandshakesOfAddress);
    assert!(!gate.is_crowded());
    let _third = gate.knock(address(2)).unwrap();
    assert!(gate.is_crowded());
    let _fourth = gate.knock(address(3)).unwrap();
    assert_eq!(gate.knock(address(4)).unwrap_err(), Full::Handshakes);
    drop(first);
    drop(gate.knock(address(1)).unwrap());
    assert_eq!(gate.0.counts().handshakes, 3);
}

#[test]
fn a_partner_has_its_share_of_the_connections_and_gives_it_back() {
    let gate = gate();
    let first = gate.admit(oin(1)).unwrap();
    let _second = gate.admit(oin(1)).unwrap();
    assert_eq!(gate.admit(oin(1)).unwrap_err(), Full::ConnectionsOfPartner);
    let third = gate.admit(oin(2)).unwrap();
    assert_eq!(gate.admit(oin(3)).unwrap_err(), Full::Connections);
    drop((first, third));
    assert_eq!(gate.0.counts().partners.len(), 1, "a partner without connections is forgotten");
    assert!(gate.admit(oin(3)).is_ok());
}

#[test]
fn one_stranger_is_an_address_or_a_v6_network() {
    let network = |text: &str| network(text.parse().unwrap()).to_string();
    assert_eq!(network("192.0.2.7"), "192.0.2.7");
    assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
}
