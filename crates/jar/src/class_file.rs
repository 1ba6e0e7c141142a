//! A small reader of class files (Java Virtual Machine Specification, chapter 4): as much as tells who the
//! class is, whether it has a main method, and which constant `factoryIdentifier` returns.

use crate::Operators;

/// What is read of a class file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// Major version: 52 is Java 8.
    pub(crate) major: u16,
    /// Name with slashes.
    pub(crate) name: String,
    /// Name of the class above, with slashes.
    pub(crate) above: Option<String>,
    /// Names of the interfaces that it names itself, with slashes.
    pub(crate) interfaces: Vec<String>,
    /// Whether it has a `public static void main(String[])`.
    pub(crate) has_main: bool,
    /// What `String factoryIdentifier()` returns.
    pub(crate) identifier: Identifier,
    /// Whether it makes operators of a stream.
    pub(crate) operators: Option<Operators>,
}

/// What `String factoryIdentifier()` returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identifier {
    /// The class has no such method.
    None,
    /// Always this text.
    Constant(String),
    /// Something that is known only by running it.
    Computed,
}

/// The packages of the streams of Flink's `DataStream` API: in Java, in Scala, and its second version.
const STREAMS: [&[u8]; 3] = [
    b"org/apache/flink/streaming/api/datastream/",
    b"org/apache/flink/streaming/api/scala/DataStream",
    b"org/apache/flink/datastream/api/stream/",
];
/// The methods there that say which operator is which, whatever the program looks like.
const UIDS: [&[u8]; 3] = [b"uid", b"setUidHash", b"withUid"];
const MAGIC: u32 = 0xCAFE_BABE;
const PUBLIC_STATIC: u16 = 0x0001 | 0x0008;

/// Reads a class file; `None` if it is none.
pub(crate) fn parse(bytes: &[u8]) -> Option<Class> {
    let mut input = Input { rest: bytes };
    if input.u32()? != MAGIC {
        return None;
    }
    input.u16()?;
    let major = input.u16()?;
    let pool = Pool::read(&mut input)?;
    input.u16()?;
    let name = pool.class(input.u16()?)?;
    let above = pool.class(input.u16()?);
    let mut interfaces = Vec::new();
    for _ in 0..input.u16()? {
        interfaces.extend(pool.class(input.u16()?));
    }
    for _ in 0..input.u16()? {
        input.skip(6)?;
        skip_attributes(&mut input)?;
    }
    let mut class = Class {
        major,
        name,
        above,
        interfaces,
        has_main: false,
        identifier: Identifier::None,
        operators: pool.operators(),
    };
    for _ in 0..input.u16()? {
        method(&mut input, &pool, &mut class)?;
    }
    Some(class)
}

fn method<'b>(input: &mut Input<'b>, pool: &Pool<'b>, class: &mut Class) -> Option<()> {
    let access = input.u16()?;
    let (name, descriptor) = (pool.utf8(input.u16()?)?, pool.utf8(input.u16()?)?);
    let is_main = name == b"main" && descriptor == b"([Ljava/lang/String;)V";
    class.has_main |= is_main && access & PUBLIC_STATIC == PUBLIC_STATIC;
    let is_identifier = name == b"factoryIdentifier"
        && descriptor == b"()Ljava/lang/String;"
        && class.identifier == Identifier::None;
    for _ in 0..input.u16()? {
        let (attribute, content) = attribute(input, pool)?;
        if is_identifier && attribute == Some(b"Code") {
            class.identifier = returned(content, pool).unwrap_or(Identifier::Computed);
        }
    }
    Some(())
}

/// The text that code consisting of `ldc TEXT; areturn` returns.
fn returned(code: &[u8], pool: &Pool<'_>) -> Option<Identifier> {
    let mut input = Input { rest: code };
    input.skip(4)?;
    let length = usize::try_from(input.u32()?).ok()?;
    let index = match *input.take(length)? {
        [0x12, index, 0xB0] => u16::from(index),
        [0x13, high, low, 0xB0] => u16::from_be_bytes([high, low]),
        _ => return None,
    };
    let text = pool.string(index)?;
    Some(Identifier::Constant(String::from_utf8_lossy(text).into_owned()))
}

fn attribute<'b>(input: &mut Input<'b>, pool: &Pool<'b>) -> Option<(Option<&'b [u8]>, &'b [u8])> {
    let name = pool.utf8(input.u16()?);
    let length = usize::try_from(input.u32()?).ok()?;
    Some((name, input.take(length)?))
}

fn skip_attributes(input: &mut Input<'_>) -> Option<()> {
    for _ in 0..input.u16()? {
        input.u16()?;
        let length = usize::try_from(input.u32()?).ok()?;
        input.skip(length)?;
    }
    Some(())
}

/// The constants of a class, by index from 1.
struct Pool<'b> {
    constants: Vec<Constant<'b>>,
}

#[derive(Clone, Copy)]
enum Constant<'b> {
    Utf8(&'b [u8]),
    /// A class or a text, each of which names a [`Constant::Utf8`].
    Class(u16),
    Text(u16),
    /// A method: its class, and a [`Constant::Signature`].
    Method(u16, u16),
    /// The name of a method.
    Signature(u16),
    Other,
}

impl<'b> Pool<'b> {
    fn read(input: &mut Input<'b>) -> Option<Self> {
        let count = usize::from(input.u16()?);
        let mut constants = vec![Constant::Other];
        while constants.len() < count {
            let tag = input.take(1)?[0];
            let constant = match tag {
                1 => {
                    let length = usize::from(input.u16()?);
                    Constant::Utf8(input.take(length)?)
                }
                7 => Constant::Class(input.u16()?),
                8 => Constant::Text(input.u16()?),
                10 | 11 => Constant::Method(input.u16()?, input.u16()?),
                12 => {
                    let name = input.u16()?;
                    input.u16()?;
                    Constant::Signature(name)
                }
                3 | 4 | 9 | 17 | 18 => input.other(4)?,
                5 | 6 => input.other(8)?,
                15 => input.other(3)?,
                16 | 19 | 20 => input.other(2)?,
                _ => return None,
            };
            constants.push(constant);
            if matches!(tag, 5 | 6) {
                // Long and double take two places.
                constants.push(Constant::Other);
            }
        }
        Some(Self { constants })
    }

    /// What the methods that the class calls say of operators.
    fn operators(&self) -> Option<Operators> {
        let of_a_stream = self.constants.iter().filter_map(|constant| {
            let Constant::Method(class, signature) = *constant else { return None };
            let Constant::Class(class) = self.get(class)? else { return None };
            let Constant::Signature(name) = self.get(signature)? else { return None };
            let class = self.utf8(class)?;
            STREAMS.iter().any(|package| class.starts_with(package)).then(|| self.utf8(name))?
        });
        of_a_stream.map(|name| UIDS.contains(&name).into()).max()
    }

    fn get(&self, index: u16) -> Option<Constant<'b>> {
        self.constants.get(usize::from(index)).copied()
    }

    fn utf8(&self, index: u16) -> Option<&'b [u8]> {
        match self.get(index)? {
            Constant::Utf8(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn class(&self, index: u16) -> Option<String> {
        match self.get(index)? {
            Constant::Class(name) => {
                self.utf8(name).map(|name| String::from_utf8_lossy(name).into_owned())
            }
            _ => None,
        }
    }

    fn string(&self, index: u16) -> Option<&'b [u8]> {
        match self.get(index)? {
            Constant::Text(text) => self.utf8(text),
            _ => None,
        }
    }
}

struct Input<'b> {
    rest: &'b [u8],
}

impl<'b> Input<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(drop)
    }

    fn other(&mut self, length: usize) -> Option<Constant<'b>> {
        self.take(length).map(|_| Constant::Other)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    }
}
