//! The stream of what happens, as pages and systems follow it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use serde_json::Value;
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Serving, Stopwatch, agree,
    api::{Kept, System, Systems, address, tokens, with_api},
    export,
};

const STREAM: &str = "/v1/gebeurtenissen";

struct World {
    place: Place,
    systems: Systems,
    serving: Serving,
    municipality: Node,
    corporation: Node,
    _sending: Serving,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
        fs::write(municipality.path("uitgever.json"), systems.jwks().to_string()).unwrap();
        with_api(&municipality, &systems, &tokens("uitgever.json"));
        let serving = municipality.serve();
        let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
        agree(&place, &municipality, &corporation);
        Self { place, systems, serving, municipality, corporation, _sending: sending }
    }

    fn bearing(&self, claims: &Value) -> System {
        System::new(&address(&self.serving), &self.systems, None).bearing(&self.systems.token(claims))
    }

    fn with_role(&self, role: &str) -> System {
        self.bearing(&Systems::claims(Some("jdevries"), &[role]))
    }

    fn send(&self, series: u32) {
        let list = self.place.file(&format!("lijst-{series}.csv"), &export::rows(2, series));
        self.corporation.send(&list, MUNICIPALITY);
    }
}

/// The next event: its number and what it says.
fn next(stream: &mut Kept<'_>) -> (String, Value) {
    let mut id = String::new();
    loop {
        let line = stream.line().expect("the stream goes on");
        if let Some(number) = line.strip_prefix("id: ") {
            number.clone_into(&mut id);
        }
        if let Some(data) = line.strip_prefix("data: ") {
            return (id, serde_json::from_str(data).unwrap());
        }
    }
}

#[test]
fn a_page_lives_along_and_goes_on_where_it_was() {
    let mut world = World::new();
    let employee = world.with_role("medewerker");
    let mut stream = employee.connect();
    stream.follow(STREAM);
    world.send(0);
    let seen = [next(&mut stream), next(&mut stream)];
    for (id, event) in &seen {
        assert_eq!(
            (event["id"].as_str(), &event["data"]["stand"]),
            (Some(id.as_str()), &"toegelaten".into())
        );
    }
    drop(stream);
    // Where it was, also when the node was killed meanwhile; and who runs the node sees messages as well.
    world.serving.kill();
    world.send(1);
    world.serving = world.municipality.serve();
    let manager = world.with_role("beheer").with("Last-Event-ID", &seen[0].0);
    let mut stream = manager.connect();
    stream.follow(STREAM);
    assert_eq!(next(&mut stream), seen[1]);
    let later = [next(&mut stream), next(&mut stream)].map(|(id, _)| id.parse::<u64>().unwrap());
    assert!(seen[1].0.parse::<u64>().unwrap() < later[0] && later[0] < later[1]);

    for wrong in ["x", "-1", "99999999999", "1 OR 1"] {
        employee_of(&world).with("Last-Event-ID", wrong).get(STREAM).expect(400);
    }
    world.with_role("bronsysteem").get(STREAM).expect(403);
    // A client has so many streams, this one counted; one that goes away makes place.
    let employee = employee_of(&world);
    let mut streams: Vec<Kept<'_>> = (0..7)
        .map(|_| {
            let mut one = employee.connect();
            one.follow(STREAM);
            one
        })
        .collect();
    assert!(employee.get(STREAM).header("retry-after").is_some());
    streams.truncate(6);
    tests::processes::until("there is place", || {
        let mut one = employee.connect();
        (one.try_follow(STREAM) == 200).then_some(())
    });
    // The node does not wait for who follows.
    let watch = Stopwatch::start();
    world.serving.stop();
    assert!(watch.elapsed().as_secs() < 8, "{:?}", watch.elapsed());
    while stream.line().is_some() {}
}

fn employee_of(world: &World) -> System {
    world.with_role("medewerker")
}

#[test]
fn a_stream_ends_with_the_token() {
    let world = World::new();
    let mut claims = Systems::claims(Some("jdevries"), &["medewerker"]);
    // Within the leeway it lets in, and a stream no longer.
    claims["exp"] = (claims["exp"].as_i64().unwrap() - 600 + 2).into();
    let system = world.bearing(&claims);
    let mut stream = system.connect();
    stream.follow(STREAM);
    while stream.line().is_some() {}
}
