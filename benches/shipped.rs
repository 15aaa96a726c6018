//! What only tests need is not in the binary that is measured, which is built as the shipped one.

pub fn holds_nothing_for_tests(binary: &str) {
    let bytes = std::fs::read(binary).expect("the binary");
    for words in ["SEATKEEPER_TEST_CLOCK_SHIFT", "weakened: for tests"] {
        let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
        assert!(!found, "{binary} contains {words:?}: it is built with debug assertions");
    }
}
