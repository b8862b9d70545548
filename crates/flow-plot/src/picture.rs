//! Pixels.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::{PlotError, file};

/// The most pixels of a picture: half a gibibyte while it is drawn, and as much again with its mask
/// and its bytes.
const MOST_PIXELS: u64 = 1 << 27;

/// A block of opaque sRGB pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture from its pixels, three bytes each, row by row from the top.
    ///
    /// # Panics
    /// Panics if a side is zero or `rgb` does not hold `width * height * 3` bytes.
    #[must_use]
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        assert!(width > 0 && height > 0, "expected a picture of pixels, got {width} x {height}");
        let expected = u128::from(width) * u128::from(height) * 3;
        assert_eq!(rgb.len() as u128, expected, "expected {width} x {height} pixels of 3 bytes");
        Self { width, height, rgb }
    }

    /// The sides of a picture that is to be made, if memory is likely to hold it.
    pub(crate) fn sides(width: u64, height: u64) -> Result<(u32, u32), PlotError> {
        let fits = width.checked_mul(height).is_some_and(|pixels| pixels <= MOST_PIXELS);
        match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width), Ok(height)) if fits => Ok((width, height)),
            _ => Err(PlotError::TooLarge { width, height }),
        }
    }

    /// A picture whose pixel in column `x` and row `y` is `color(x, y)`.
    pub(crate) fn from_fn(width: u32, height: u32, color: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let color = &color;
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| color(x, y))).collect();
        Self::new(width, height, rgb)
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, three bytes each, row by row from the top.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Writes the picture as `.png`.
    ///
    /// # Errors
    /// [`PlotError::UnknownFormat`] for another extension, [`PlotError::Write`] where the file
    /// system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let path = path.as_ref();
        if !file::has_extension(path, "png") {
            return Err(PlotError::UnknownFormat { path: path.to_owned(), expected: ".png" });
        }
        file::write(path, &self.to_png())
    }

    /// Reads a PNG file of any kind; of transparent pixels the colour is taken.
    ///
    /// # Errors
    /// [`PlotError::Read`] when it cannot be read or is none, [`PlotError::TooLarge`] for more
    /// pixels than memory can be trusted with.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PlotError> {
        let path = path.as_ref();
        let refused = |reason: String| PlotError::Read { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| refused(error.to_string()))?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|error| refused(error.to_string()))?;
        let (width, height) = reader.info().size();
        Self::sides(width.into(), height.into())?;
        let size = reader.output_buffer_size().unwrap_or(0);
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes).map_err(|error| refused(error.to_string()))?;
        let channels = frame.color_type.samples();
        let rgb = bytes[..frame.buffer_size()]
            .chunks_exact(channels)
            .flat_map(
                |pixel| if channels < 3 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] },
            )
            .collect();
        Ok(Self::new(width, height, rgb))
    }

    /// The picture as numbers from -1 to 1, `[channels, height, width]`: the mean of the colours
    /// for one channel, else red, green and blue.
    #[must_use]
    pub fn to_numbers(&self, channels: usize) -> Vec<f32> {
        let number = |value: f32| value / 127.5 - 1.0;
        let pixels = self.rgb.chunks_exact(3);
        match channels {
            1 => pixels
                .map(|pixel| number(pixel.iter().copied().map(f32::from).sum::<f32>() / 3.0))
                .collect(),
            _ => (0..channels.min(3))
                .flat_map(|c| pixels.clone().map(move |pixel| number(f32::from(pixel[c]))))
                .collect(),
        }
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Panics
    /// Never: memory takes what is written to it.
    #[must_use]
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut png| png.write_image_data(&self.rgb));
        written.expect("memory takes the bytes and `new` has checked their number");
        bytes
    }
}
