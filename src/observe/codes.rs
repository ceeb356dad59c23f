//! Short codes of standards: countries (ISO 3166-1 alpha-2), currencies (ISO 4217), locales (BCP 47 with a region).

/// Two letters each.
const COUNTRIES: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCM\
    CNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIO\
    IQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNI\
    NLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTO\
    TRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

/// Three letters each: those in daily use.
const CURRENCIES: &str = "AEDAFNALLAMDAOAARSAUDAZNBAMBBDBDTBGNBHDBIFBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPCVE\
    CZKDJFDKKDOPDZDEGPERNETBEURFJDGBPGELGHSGIPGMDGNFGTQGYDHKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKRWKWDKYDKZT\
    LAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWF\
    SARSBDSCRSDGSEKSGDSHPSOSSRDSSPSTNSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVESVNDVUVWSTXAFXCDXOFXPFYERZARZMWZWG";

pub(super) fn is_country(text: &[u8]) -> bool {
    text.len() == 2 && holds(COUNTRIES, text)
}

pub(super) fn is_currency(text: &[u8]) -> bool {
    text.len() == 3 && holds(CURRENCIES, text)
}

fn holds(codes: &str, code: &[u8]) -> bool {
    code.iter().all(u8::is_ascii_uppercase)
        && codes.as_bytes().chunks_exact(code.len()).any(|known| known == code)
}

/// `en-GB`, `pt_BR`.
pub(super) fn is_locale(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| matches!(byte, b'-' | b'_')) else { return false };
    let (language, region) = text.split_at(at);
    (2..=3).contains(&language.len())
        && language.iter().all(u8::is_ascii_lowercase)
        && region.get(1..).is_some_and(is_country)
}

/// `#abc`, `#aabbcc`, `#aabbccdd`.
pub(super) fn is_color(text: &[u8]) -> bool {
    text.strip_prefix(b"#").is_some_and(|digits| {
        matches!(digits.len(), 3 | 4 | 6 | 8) && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

/// `1.2.3`, with a pre-release or build part or without (semver.org 2.0).
pub(super) fn is_semver(text: &[u8]) -> bool {
    let end = text.iter().position(|byte| matches!(byte, b'-' | b'+')).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts = 0;
    let whole = core.split(|byte| *byte == b'.').all(|part| {
        parts += 1;
        let zero = part.len() > 1 && part.first() == Some(&b'0');
        (1..=9).contains(&part.len()) && !zero && part.iter().all(u8::is_ascii_digit)
    });
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+.".contains(byte);
    whole && parts == 3 && (rest.is_empty() || (rest.len() > 1 && rest.iter().all(plain)))
}

/// Standard or URL-safe base 64 of at least twelve bytes, with letters of both cases and digits, in whole groups.
pub(super) fn is_base64(text: &[u8]) -> bool {
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let has = |class: fn(&u8) -> bool| body.iter().any(class);
    text.len() >= 16
        && text.len().is_multiple_of(4)
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}
