//! Bars and lines as SVG.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

const WIDTH: u32 = 900;
const INK: RGBColor = RGBColor(40, 40, 40);
const OURS: RGBColor = RGBColor(38, 97, 156);
const OTHERS: RGBColor = RGBColor(170, 170, 170);

/// One bar.
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) value: f64,
    /// Whether it is one of ours, and coloured so.
    pub(super) ours: bool,
}

/// Horizontal bars, the first on top, each with its value.
pub(super) fn bars(file: &Path, caption: &str, unit: &str, bars: &[Bar]) -> anyhow::Result<()> {
    let height = 70 + 26 * u32::try_from(bars.len())?;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let draw = || -> Result<(), DrawingAreaErrorKind<_>> {
        area.fill(&WHITE)?;
        area.draw(&Text::new(caption.to_owned(), (16, 14), text(18)))?;
        for (row, bar) in (0i32..).zip(bars) {
            let top = 48 + row * 26;
            // A bar of the longest value ends where its number still has room.
            let end = 330 + (bar.value / longest * 460.0) as i32;
            let colour = if bar.ours { OURS } else { OTHERS };
            area.draw(&Text::new(bar.title.clone(), (16, top + 2), text(14)))?;
            area.draw(&Rectangle::new([(330, top), (end, top + 18)], colour.filled()))?;
            let label = format!("{:.1} {unit}", bar.value);
            area.draw(&Text::new(label, (end + 6, top + 2), text(14)))?;
        }
        area.present()
    };
    draw().map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Points on a line through the origin: equal factors are equal distances on both axes.
pub(super) fn growth(file: &Path, caption: &str, points: &[(f64, f64)]) -> anyhow::Result<()> {
    let area = SVGBackend::new(file, (WIDTH, 420)).into_drawing_area();
    let draw = || -> Result<(), DrawingAreaErrorKind<_>> {
        area.fill(&WHITE)?;
        let (first, last) = (points[0], points[points.len() - 1]);
        let mut chart = ChartBuilder::on(&area)
            .caption(caption, ("sans-serif", 18))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(
                (first.0 * 0.7..last.0 * 1.5).log_scale(),
                (first.1 * 0.5..last.1 * 2.0).log_scale(),
            )?;
        chart.configure_mesh().x_desc("symbols").y_desc("milliseconds").draw()?;
        let linear = points.iter().map(|(x, _)| (*x, first.1 * x / first.0));
        chart.draw_series(LineSeries::new(linear, &OTHERS))?;
        chart.draw_series(LineSeries::new(points.iter().copied(), OURS.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, OURS.filled())))?;
        area.present()
    };
    draw().map_err(|error| anyhow!("{}: {error}", file.display()))
}
