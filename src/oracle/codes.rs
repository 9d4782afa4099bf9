//! Oracle's errors by what they mean to a daemon that looks at sessions and ends them. By number, never by text: texts
//! are translated, and releases rewrite them.

/// What an error calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The target is no longer there: as good as done.
    Gone,
    /// Accepted; later observations tell.
    Pending,
    /// The same again gives the same: the rule, the grants or we are wrong.
    Never,
    /// The connection is lost, and what was under way is unknown.
    Reconnect,
    /// Database or listener are not ready: again, later and later.
    Retry,
    /// The configuration is wrong: again every few minutes, in case somebody mends it.
    Slow,
    /// The password is wrong: not again until it changes, or the account gets locked.
    Password,
    /// The account may not log in, whatever the password: again every few minutes, in case somebody mends it.
    Account,
    /// No error.
    Fine,
}

/// The class of an error of that number. What is not listed is [`Class::Retry`].
pub const fn class(code: u32) -> Class {
    match code {
        22 | 30 => Class::Gone,
        31 => Class::Pending,
        26 | 27 | 29 | 32 | 34 | 1031 => Class::Never,
        28
        | 45
        | 378
        | 602
        | 603
        | 609
        | 1012
        | 1041
        | 1043
        | 1092
        | 2390
        | 2392
        | 2394
        | 2396
        | 2399
        | 3113
        | 3114
        | 3135
        | 12153
        | 12570
        | 12571
        | 12583
        | 25401..=25405
        | 25408
        | 25409
        | 27146
        | 28511 => Class::Reconnect,
        24 | 904 | 942 | 3106 | 6550 | 12154 | 12545 | 21561 => Class::Slow,
        1005 | 1017 => Class::Password,
        1045 | 28000 | 28001 | 28003 | 65162 => Class::Account,
        28002 | 28098 => Class::Fine,
        _ => Class::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, class};

    #[test]
    fn codes_call_for_what_the_facts_say() {
        let cases = [
            (30, Class::Gone),
            (31, Class::Pending),
            (29, Class::Never),
            (1031, Class::Never),
            (3113, Class::Reconnect),
            (28, Class::Reconnect),
            (1034, Class::Retry),
            (12514, Class::Retry),
            (12154, Class::Slow),
            // The client's own host has no name that can be resolved.
            (21561, Class::Slow),
            (1017, Class::Password),
            (28000, Class::Account),
            (28002, Class::Fine),
        ];
        for (code, expected) in cases {
            assert_eq!(class(code), expected, "ORA-{code:05}");
        }
    }
}
