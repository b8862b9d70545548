//! Moving pictures.

use std::borrow::Cow;
use std::path::Path;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::clouds::dots;
use crate::color::Rgb;
use crate::palette::{MAX_COLORS, Palette};
use crate::panels::{Backdrop, Panels};
use crate::{Limits, Picture, PlotError, file};

/// The last frame stays this long before the animation starts again, in hundredths of a second.
const HOLD: u16 = 200;

/// One picture for each time `t` and its points: the clouds of a flow on the way from noise to
/// data.
///
/// # Errors
/// [`PlotError::TooLarge`] if memory cannot hold a picture.
///
/// # Panics
/// Panics if the limits are not finite or do not grow.
pub fn flow_frames(
    frames: &[(f64, &[[f32; 2]])],
    limits: Limits,
) -> Result<Vec<Picture>, PlotError> {
    let panels = Panels { limits, backdrop: Backdrop::Grid, color_bar: None };
    let picture = |(t, points): &(f64, &[[f32; 2]])| {
        let title = format!("t = {t:.2}");
        panels.figure(&[&title], |axes, _| vec![dots(axes, points)]).to_picture(1.25)
    };
    frames.iter().map(picture).collect()
}

/// Writes pictures as a GIF that repeats for ever and holds its last frame for two seconds.
///
/// All frames share the palette of 255 colours that suits them best. GIF counts time in hundredths
/// of a second and browsers show at most 50 frames a second, so `frames_per_second` is rounded to
/// what can be shown.
///
/// # Errors
/// [`PlotError::NoFrames`] without frames, [`PlotError::UnknownFormat`] for an extension that is
/// not `.gif`, [`PlotError::TooLarge`] for a side of more than 65,535 pixels, [`PlotError::Write`]
/// where the file system refuses.
///
/// # Panics
/// Panics if the frames differ in size, or if `frames_per_second` is not positive.
pub fn animate(
    frames: &[Picture],
    path: impl AsRef<Path>,
    frames_per_second: f64,
) -> Result<(), PlotError> {
    assert!(
        frames_per_second > 0.0,
        "expected a positive number of frames per second, got {frames_per_second}"
    );
    let path = path.as_ref();
    if !file::has_extension(path, "gif") {
        return Err(PlotError::UnknownFormat { path: path.to_owned(), expected: ".gif" });
    }
    let Some((first, rest)) = frames.split_first() else {
        return Err(PlotError::NoFrames { path: path.to_owned() });
    };
    let size = (first.width(), first.height());
    for frame in rest {
        let found = (frame.width(), frame.height());
        assert_eq!(found, size, "expected all frames to have the size of the first");
    }
    let too_large = |_| PlotError::TooLarge { width: size.0.into(), height: size.1.into() };
    let width = u16::try_from(size.0).map_err(too_large)?;
    let height = u16::try_from(size.1).map_err(too_large)?;
    let delay = (100.0 / frames_per_second).round().clamp(2.0, 6000.0) as u16;
    file::write(path, &to_gif(frames, width, height, delay))
}

/// The bytes of a GIF; `delay` in hundredths of a second.
fn to_gif(frames: &[Picture], width: u16, height: u16, delay: u16) -> Vec<u8> {
    let pixels = |frame: &Picture| -> Vec<Rgb> { frame.rgb().as_chunks::<3>().0.to_vec() };
    let mut palette = Palette::of(frames.iter().flat_map(pixels));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, palette.colors().as_flattened())
        .expect("memory takes the bytes and the palette is small enough");
    encoder.set_repeat(Repeat::Infinite).expect("memory takes the bytes");

    let mut before: Option<Vec<u8>> = None;
    for (i, frame) in frames.iter().enumerate() {
        let now: Vec<u8> = pixels(frame).into_iter().map(|pixel| palette.index(pixel)).collect();
        let last = i + 1 == frames.len();
        let frame = Frame {
            delay: if last { HOLD } else { delay },
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            ..changes(before.as_deref(), &now, width, height)
        };
        encoder.write_frame(&frame).expect("memory takes the bytes");
        before = Some(now);
    }
    drop(encoder);
    bytes
}

/// The index that no colour has: the pixel stays as it was.
const UNCHANGED: u8 = MAX_COLORS as u8;

/// The smallest rectangle in which `now` differs from `before`, its other pixels transparent.
fn changes(before: Option<&[u8]>, now: &[u8], width: u16, height: u16) -> Frame<'static> {
    let Some(before) = before else {
        return Frame { width, height, buffer: Cow::Owned(now.to_vec()), ..Frame::default() };
    };
    let side = usize::from(width);
    let changed = |i: &usize| before[*i] != now[*i];
    let rows = || (0..now.len()).filter(changed).map(|i| i / side);
    let columns = || (0..now.len()).filter(changed).map(|i| i % side);
    // A frame that changes nothing still takes its time: one pixel of it.
    let (top, bottom) = (rows().next().unwrap_or(0), rows().next_back().unwrap_or(0));
    let (left, right) = (columns().min().unwrap_or(0), columns().max().unwrap_or(0));
    let buffer: Vec<u8> = (top..=bottom)
        .flat_map(|row| (left..=right).map(move |column| row * side + column))
        .map(|i| if changed(&i) { now[i] } else { UNCHANGED })
        .collect();
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        buffer: Cow::Owned(buffer),
        ..Frame::default()
    }
}
