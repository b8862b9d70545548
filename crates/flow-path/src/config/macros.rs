//! The macro by which an enum names its choices.

/// Names the choices of an enum, each once: the line about it, its name, the variant.
///
/// Two forms. The first makes the enum, over structs that are their own configuration: they derive
/// `Serialize` and `Deserialize` with `#[serde(deny_unknown_fields)]` and implement
/// [`Check`](crate::config::Check). A struct that cannot do without a value has an example of it in
/// brackets. With `as dyn Trait` the enum also has `build`, which boxes the struct chosen.
///
/// ```
/// use flow_path::{choices, Cosine, Linear, Schedule};
///
/// choices! {
///     /// Two schedules.
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     pub enum Two as dyn Schedule {
///         /// straight lines
///         "linear" => Linear(Linear),
///         /// a rotation
///         "cosine" => Cosine(Cosine),
///     }
/// }
/// let two: Two = "cosine,margin=0.1".parse()?;
/// assert_eq!(two, Two::Cosine(Cosine { margin: 0.1 }));
/// assert!(0.0 < two.build().at(0.0).alpha);
/// # Ok::<(), flow_path::config::ConfigError>(())
/// ```
///
/// The second names the variants of an enum that exists, each with its fields and their defaults. A
/// last line `_ => Variant(Other)` takes in the choices of another enum.
///
/// ```
/// use flow_path::choices;
///
/// #[derive(Debug, PartialEq)]
/// enum Weight {
///     Unit,
///     Power { exponent: f64 },
/// }
/// choices! {
///     impl Weight {
///         /// the error as it is
///         "unit" => Unit,
///         /// a power of the noise level
///         "power" => Power { exponent = 2.0 },
///     }
/// }
/// assert_eq!("power".parse(), Ok(Weight::Power { exponent: 2.0 }));
/// assert_eq!(Weight::choices()[1].typed, "power,exponent=2");
/// ```
///
/// Either enum reads text and tables by `Deserialize`, writes tables by `Serialize`, is parsed by
/// `FromStr`, shown by `Display`, and has `name()` and `choices()`. The caller needs `serde` among
/// its dependencies.
#[macro_export]
macro_rules! choices {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident as $object:ty { $($lines:tt)* }
    ) => {
        $crate::choices! {
            $(#[$meta])*
            $vis enum $name { $($lines)* }
        }
        $crate::choices! { @build $vis $name, $object { $($lines)* } }
    };
    (
        @build $vis:vis $name:ident, $object:ty {
            $( #[doc = $about:literal] $tag:literal $(($example:literal))? => $variant:ident($inner:ty), )*
        }
    ) => {
        impl $name {
            /// The thing that is chosen.
            #[must_use]
            $vis fn build(&self) -> ::std::sync::Arc<$object> {
                match self { $( Self::$variant(chosen) => ::std::sync::Arc::new(chosen.clone()), )* }
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( #[doc = $about:literal] $tag:literal $(($example:literal))? => $variant:ident($inner:ty), )*
        }
    ) => {
        $(#[$meta])*
        #[derive(::serde::Serialize)]
        #[serde(tag = "kind")]
        $vis enum $name { $( #[doc = $about] #[serde(rename = $tag)] $variant($inner), )* }

        impl $name {
            /// The name of the choice.
            #[must_use]
            $vis fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => $tag, )* }
            }

            /// Every choice, in the order of the docs.
            #[must_use]
            $vis fn choices() -> ::std::vec::Vec<$crate::config::Choice> {
                ::std::vec![$( $crate::config::Choice::new(
                    $tag,
                    $about,
                    $crate::config::keys::<$inner>(),
                    $crate::choices!(@example $($example)?),
                    $tag.parse::<Self>().ok().as_ref(),
                ) ),*]
            }
        }

        impl $crate::config::Check for $name {
            fn check(&self) -> ::std::result::Result<(), $crate::PathError> {
                match self { $( Self::$variant(chosen) => $crate::config::Check::check(chosen), )* }
            }
        }

        impl ::std::convert::TryFrom<$crate::config::Chosen> for $name {
            type Error = $crate::config::ConfigError;

            fn try_from(
                chosen: $crate::config::Chosen,
            ) -> ::std::result::Result<Self, $crate::config::ConfigError> {
                match chosen.name() {
                    $( $tag => chosen.values().map(Self::$variant), )*
                    _ => Err(chosen.unknown(&Self::choices())),
                }
            }
        }

        $crate::choices! { @read $name }
    };
    (
        impl $name:ident {
            $(
                #[doc = $about:literal]
                $tag:literal => $variant:ident $({ $($field:ident = $default:expr),* })?,
            )*
            $( _ => $rest:ident($inner:ty), )?
        }
    ) => {
        impl $name {
            /// The name of the choice.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $tag, )*
                    $( Self::$rest(inner) => inner.name(), )?
                }
            }

            /// Every choice, in the order of the docs.
            #[must_use]
            pub fn choices() -> ::std::vec::Vec<$crate::config::Choice> {
                let own = [$( $crate::config::Choice::new(
                    $tag,
                    $about,
                    &[$($(stringify!($field)),*)?],
                    None,
                    $tag.parse::<Self>().ok().as_ref(),
                ) ),*];
                own.into_iter()$( .chain(<$inner>::choices()) )?.collect()
            }
        }

        impl ::std::convert::TryFrom<$crate::config::Chosen> for $name {
            type Error = $crate::config::ConfigError;

            #[allow(unused_mut, reason = "choices without values take none")]
            fn try_from(
                mut chosen: $crate::config::Chosen,
            ) -> ::std::result::Result<Self, $crate::config::ConfigError> {
                match chosen.name() {
                    $( $tag => {
                        let found = Self::$variant {
                            $($( $field: chosen.take(stringify!($field), $default)? ),*)?
                        };
                        chosen.end(&[$($(stringify!($field)),*)?])?;
                        Ok(found)
                    } )*
                    $( name if <$inner>::choices().iter().any(|choice| choice.name == name) => {
                        <$inner>::try_from(chosen).map(Self::$rest)
                    } )?
                    _ => Err(chosen.unknown(&Self::choices())),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap;
                match self {
                    $( Self::$variant { $($($field),*)? } => {
                        let mut map = serializer.serialize_map(None)?;
                        map.serialize_entry("kind", $tag)?;
                        $($( map.serialize_entry(stringify!($field), $field)?; )*)?
                        map.end()
                    } )*
                    $( Self::$rest(inner) => inner.serialize(serializer), )?
                }
            }
        }

        $crate::choices! { @read $name }
    };
    (@read $name:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let chosen = <$crate::config::Chosen as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(chosen).map_err(::serde::de::Error::custom)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::config::ConfigError;

            fn from_str(typed: &str) -> ::std::result::Result<Self, $crate::config::ConfigError> {
                Self::try_from(typed.parse::<$crate::config::Chosen>()?)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&$crate::config::shown(self))
            }
        }
    };
    (@example) => { None };
    (@example $example:literal) => { Some($example) };
}

/// Lets structs without values, as in `struct Uniform;`, be choices: read and written as empty
/// tables, with nothing to check.
///
/// What serde derives for such a struct is no table, and takes none.
#[macro_export]
macro_rules! without_values {
    ($($name:ident),*) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&$crate::config::Nothing {}, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let read = <$crate::config::Nothing as ::serde::Deserialize>::deserialize(deserializer);
                read.map(|$crate::config::Nothing {}| $name)
            }
        }

        impl $crate::config::Check for $name {}
    )*};
}
