//! Mapping files: a mistake is an error with a line, never a crash.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = adapters::Mapping::parse(text, "mapping");
});
