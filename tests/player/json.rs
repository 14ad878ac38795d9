//! JSON: enough to talk with a browser.

/// A value. What is not there is [`Json::Null`], so that a path of keys can be followed without a
/// question at each.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a value.
    ///
    /// # Panics
    /// If it is none.
    pub fn read(text: &str) -> Json {
        let mut reader = Reader { rest: text };
        let value = reader.value();
        reader.skip_space();
        assert!(reader.rest.is_empty(), "after the value: {}", reader.rest);
        value
    }

    /// The value of that key, or of that key of that key, and so on: `"result.value"`.
    pub fn get(&self, path: &str) -> &Json {
        path.split('.').fold(self, |value, key| match value {
            Json::Object(entries) => {
                let found = entries.iter().find(|(name, _)| name == key);
                found.map_or(&Json::Null, |(_, value)| value)
            }
            _ => &Json::Null,
        })
    }

    pub fn is_null(&self) -> bool {
        *self == Json::Null
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            other => panic!("a text is expected: {other:?}"),
        }
    }

    #[track_caller]
    pub fn number(&self) -> f64 {
        match self {
            Json::Number(number) => *number,
            other => panic!("a number is expected: {other:?}"),
        }
    }

    /// A number that is a whole one.
    #[track_caller]
    pub fn count(&self) -> u64 {
        let number = self.number();
        assert!(number >= 0.0 && number.fract() == 0.0, "a count is expected: {number}");
        number as u64
    }

    #[track_caller]
    pub fn bool(&self) -> bool {
        match self {
            Json::Bool(bool) => *bool,
            other => panic!("true or false is expected: {other:?}"),
        }
    }

    #[track_caller]
    pub fn list(&self) -> &[Json] {
        match self {
            Json::List(list) => list,
            other => panic!("a list is expected: {other:?}"),
        }
    }
}

/// A text as JSON writes it, and JavaScript too.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\0'..' ' => quoted += &format!("\\u{:04x}", u32::from(char)),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self) -> Json {
        self.skip_space();
        if self.take("{") {
            return Json::Object(self.items("}", |reader| {
                reader.skip_space();
                assert!(reader.take("\""), "a key is expected: {}", reader.rest);
                let key = reader.string();
                reader.skip_space();
                assert!(reader.take(":"), "a colon is expected: {}", reader.rest);
                (key, reader.value())
            }));
        }
        if self.take("[") {
            return Json::List(self.items("]", Reader::value));
        }
        if self.take("\"") {
            return Json::Text(self.string());
        }
        let word = self.rest.split([',', '}', ']', ' ', '\n']).next().unwrap_or("");
        self.rest = &self.rest[word.len()..];
        match word {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            number => Json::Number(number.parse().expect("a value")),
        }
    }

    /// What stands between commas, up to the closing bracket.
    fn items<T>(&mut self, end: &str, item: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        self.skip_space();
        if self.take(end) {
            return items;
        }
        loop {
            items.push(item(self));
            self.skip_space();
            if self.take(end) {
                return items;
            }
            assert!(self.take(","), "a comma is expected: {}", self.rest);
        }
    }

    /// The rest of a string, after its first quote.
    fn string(&mut self) -> String {
        // In UTF-16, as JSON escapes it: half of a pair may stand alone.
        let mut units: Vec<u16> = Vec::new();
        loop {
            let plain = self.rest.find(['"', '\\']).expect("a string ends");
            units.extend(self.rest[..plain].encode_utf16());
            self.rest = &self.rest[plain..];
            if self.take("\"") {
                return String::from_utf16_lossy(&units);
            }
            let (escape, rest) = self.rest[1..].split_at(1);
            self.rest = rest;
            units.push(match escape {
                "u" => {
                    let (digits, rest) = self.rest.split_at(4);
                    self.rest = rest;
                    u16::from_str_radix(digits, 16).expect("four digits")
                }
                "n" => u16::from(b'\n'),
                "t" => u16::from(b'\t'),
                "r" => u16::from(b'\r'),
                "b" => 8,
                "f" => 12,
                same => u16::from(same.as_bytes()[0]),
            });
        }
    }

    fn take(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

// A reader that misread would find every page right, or none.

#[test]
fn what_is_quoted_is_read_again() {
    for text in [
        "",
        "plain",
        "\"\\/\n\t\u{1}\u{7f}",
        "déjà 🦀 \u{202e}",
        "</script>",
    ] {
        assert_eq!(Json::read(&quote(text)), Json::Text(text.to_string()));
    }
}

#[test]
fn every_kind_of_value_is_read() {
    let json = Json::read(
        r#" {"a": [1, -2.5e1, true, false, null, [], {}], "b": {"c": "\ud83e\udd80\u0041\n\/"}} "#,
    );
    let list = json.get("a").list();
    assert_eq!(list[..2], [Json::Number(1.0), Json::Number(-25.0)]);
    assert_eq!(list[2..5], [Json::Bool(true), Json::Bool(false), Json::Null]);
    assert_eq!(list[5..], [Json::List(vec![]), Json::Object(vec![])]);
    assert_eq!(json.get("b.c").text(), "🦀A\n/");
    assert!(json.get("b.x.y").is_null());
    assert_eq!(Json::read(r#""half \ud83e""#).text(), "half \u{fffd}");
}
