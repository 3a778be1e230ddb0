use super::*;

#[test]
fn a_request_head_is_length_and_json_with_dutch_names() {
    let request = Request::post("/v1/berichten", "application/x", "abc").with_query("a=1");
    let bytes = request_head(&request);
    let json = br#"{"methode":"POST","pad":"/v1/berichten?a=1","type":"application/x","lengte":3}"#;
    assert_eq!(&bytes[..4], u32::try_from(json.len()).unwrap().to_be_bytes());
    assert_eq!(&bytes[4..], json);
}

#[test]
fn heads_come_back_as_they_went() {
    let request = Request::get("/v1/knooppunt").with_query("x=%20y");
    let (parsed, length) = parse_request(&request_head(&request)[4..]).unwrap();
    assert_eq!((parsed, length), (request, 0));

    let response = Response::new(503, "application/problem+json", "").retry_after(7);
    let (parsed, length) = parse_response(&response_head(&response)[4..]).unwrap();
    assert_eq!((parsed, length), (response, 0));
}

#[test]
fn an_answer_without_type_or_wait_has_neither_member() {
    let bytes = response_head(&Response::empty(204));
    assert_eq!(&bytes[4..], br#"{"status":204,"lengte":0}"#);
}

#[test]
fn members_of_later_versions_are_ignored() {
    let (request, length) =
        parse_request(br#"{"methode":"GET","pad":"/","lengte":0,"nieuw":true,"type":null}"#).unwrap();
    assert_eq!((request, length), (Request::get("/"), 0));
}

#[test]
fn what_http_would_not_take_is_refused_here_too() {
    for head in [
        r#"{"methode":"GET","pad":"/""#,
        r#"{"methode":"GET","pad":"/"}"#,
        r#"{"methode":"GET","lengte":0}"#,
        r#"{"methode":"G E T","pad":"/","lengte":0}"#,
        r#"{"methode":"GET","pad":"","lengte":0}"#,
        r#"{"methode":"GET","pad":"v1","lengte":0}"#,
        r#"{"methode":"GET","pad":"*","lengte":0}"#,
        r#"{"methode":"GET","pad":"/a b","lengte":0}"#,
        r#"{"methode":"GET","pad":"/a\nb","lengte":0}"#,
        r#"{"methode":"GET","pad":"/","lengte":-1}"#,
        r#"{"methode":"GET","pad":"/","lengte":18446744073709551616}"#,
        "[]",
        "",
    ] {
        assert!(parse_request(head.as_bytes()).is_err(), "{head}");
    }
}
