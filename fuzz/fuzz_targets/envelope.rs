#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| causeway_properties::envelope::check(data));
