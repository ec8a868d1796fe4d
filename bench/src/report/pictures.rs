//! Plots of a run, as SVG.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

use super::tables::served;
use crate::{
    candidate::Kind,
    form::{Form, Size},
    goals::{self, CLIENTS},
    results::{Case, Cell, Results, Round},
};

const SIZE: (u32, u32) = (820, 400);
const FONT: &str = "sans-serif";
/// Told apart by people who see no red or no green too (Okabe and Ito).
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(120, 120, 120),
];

/// A name and what belongs to it.
type Series = (String, Vec<(f64, f64)>);

/// Writes all plots for which there are figures into `directory`.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(results: &Results, directory: &Path) -> anyhow::Result<()> {
    let used = bars_of(results, |round| round.cpu);
    bars(&directory.join("benchmarks-cpu.svg"), "Processor time of the proxy for a small call, us", &used)?;
    let rates = by_clients(results, |round| Some(round.rate));
    let title = "Small calls a second by clients at once";
    lines(&directory.join("benchmarks-rate.svg"), title, ("clients", "calls a second"), &rates)?;
    let waits = by_clients(results, |round| Some(round.p99));
    let title = "Latency that one in a hundred small calls exceeds, by clients at once";
    lines(&directory.join("benchmarks-latency.svg"), title, ("clients", "us"), &waits)?;
    let among = among(results);
    let title = "Processor time of the gateway for a small call, by tools in its lists";
    lines(&directory.join("benchmarks-tools.svg"), title, ("tools", "us"), &among)
}

/// All candidates, each in the form that the document shows it in.
fn shown(results: &Results) -> impl Iterator<Item = (Kind, Form)> {
    let own = Kind::OWN.into_iter().map(|kind| (kind, goals::FORM));
    own.chain(Kind::PEERS.into_iter().filter_map(|kind| Some((kind, served(results, kind)?))))
}

fn bars_of(results: &Results, of: impl Fn(&Round) -> Option<f64>) -> Vec<(String, f64)> {
    let bar = |(kind, form): (Kind, Form)| {
        let cell = results.cell(kind.name(), Case::Call { form, size: Size::Small }, CLIENTS)?;
        Some((kind.name().to_owned(), cell.figure_if(&of)?.median))
    };
    shown(results).filter_map(bar).collect()
}

fn by_clients(results: &Results, of: impl Fn(&Round) -> Option<f64>) -> Vec<Series> {
    let series = |(kind, form): (Kind, Form)| {
        let own = |cell: &&Cell| cell.candidate == kind.name() && cell.case == Case::Call { form, size: Size::Small };
        let point = |cell: &Cell| Some((cell.clients as f64, cell.figure_if(&of)?.median));
        (kind.name().to_owned(), results.cells.iter().filter(own).filter_map(point).collect())
    };
    shown(results).map(series).collect()
}

/// By targets.
fn among(results: &Results) -> Vec<Series> {
    let points = results.cells.iter().filter(|cell| cell.clients == CLIENTS).filter_map(|cell| match cell.case {
        Case::CallAmong { tools, targets } => {
            Some((targets, (tools as f64, cell.figure_if(|round| round.cpu)?.median)))
        }
        Case::Call { .. } | Case::List { .. } => None,
    });
    let mut series: Vec<Series> = Vec::new();
    for (targets, point) in points {
        let name = format!("{targets} targets");
        match series.iter_mut().find(|series| series.0 == name) {
            Some((_, points)) => points.push(point),
            None => series.push((name, vec![point])),
        }
    }
    series
}

/// Horizontal bars over a logarithmic scale, the first on top.
fn bars(file: &Path, title: &str, bars: &[(String, f64)]) -> anyhow::Result<()> {
    let Some((least, most)) = bounds(bars.iter().map(|(_, value)| *value)) else { return Ok(()) };
    draw(file, |area| {
        let count = bars.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(title, (FONT, 17))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(235)
            .build_cartesian_2d((least..most).log_scale(), 0.0..count)?;
        chart.configure_mesh().disable_y_axis().disable_y_mesh().x_label_formatter(&plain).draw()?;
        for (place, (name, value)) in bars.iter().enumerate() {
            let middle = count - place as f64 - 0.5;
            let color = COLORS[place % COLORS.len()];
            let bar = Rectangle::new([(least, middle - 0.3), (*value, middle + 0.3)], color.filled());
            chart.draw_series([bar])?;
            let (x, y) = chart.backend_coord(&(least, middle));
            area.draw(&Text::new(name.clone(), (x - 228, y - 7), (FONT, 14).into_font()))?;
            let (x, _) = chart.backend_coord(&(*value, middle));
            area.draw(&Text::new(figure(*value), (x + 6, y - 7), (FONT, 13).into_font()))?;
        }
        Ok(())
    })
}

/// Lines over logarithmic scales.
fn lines(file: &Path, title: &str, (across, up): (&str, &str), series: &[Series]) -> anyhow::Result<()> {
    let points = || series.iter().flat_map(|(_, points)| points);
    let Some((left, right)) = bounds(points().map(|point| point.0)) else { return Ok(()) };
    let Some((least, most)) = bounds(points().map(|point| point.1)) else { return Ok(()) };
    draw(file, |area| {
        let area = area.titled(title, (FONT, 17))?;
        let (plot, words) = area.split_horizontally(SIZE.0 - 260);
        let mut chart = ChartBuilder::on(&plot)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(75)
            .build_cartesian_2d((left..right).log_scale(), (least..most).log_scale())?;
        chart.configure_mesh().x_desc(across).y_desc(up).x_label_formatter(&plain).y_label_formatter(&plain).draw()?;
        for (place, (name, points)) in series.iter().enumerate() {
            let color = COLORS[place % COLORS.len()];
            chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color.filled())))?;
            let y = 40 + 22 * place as i32;
            words.draw(&Rectangle::new([(4, y + 2), (16, y + 12)], color.filled()))?;
            words.draw(&Text::new(name.clone(), (22, y), (FONT, 13).into_font()))?;
        }
        Ok(())
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw<'a>(file: &'a Path, picture: impl FnOnce(&Area<'a>) -> Drawn) -> anyhow::Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    let drawn = area.fill(&WHITE).and_then(|()| picture(&area)).and_then(|()| area.present());
    drawn.map_err(|error| anyhow!("`{}` cannot be written: {error}", file.display()))
}

/// A range around positive values, with room on both sides; none of none.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let positive = values.filter(|value| *value > 0.0);
    let (least, most) = positive.fold((f64::INFINITY, 0.0), |(least, most), value| (value.min(least), value.max(most)));
    (least <= most).then_some((least / 1.6, most * 1.6))
}

fn plain(value: &f64) -> String {
    figure(*value)
}

fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_drawn() {
        let mut results = Results::default();
        let case = Case::Call { form: goals::FORM, size: Size::Small };
        for (kind, cpu) in [(Kind::Nginx, 9.5), (Kind::Causeway { guarded: true }, 21.25)] {
            for clients in [1, CLIENTS] {
                let round = Round {
                    calls: 10,
                    failures: 0,
                    failure: None,
                    rate: 100.0,
                    p50: 50.0,
                    p99: 90.0,
                    cpu: Some(cpu),
                    peak: None,
                };
                results.add(kind.name(), case, clients, round);
            }
        }
        let directory = tempfile::tempdir().unwrap();
        write(&results, directory.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let used = read("benchmarks-cpu.svg");
        for shown in ["nginx", "9.5", "21.2", Kind::Causeway { guarded: true }.name()] {
            assert!(used.contains(shown), "{shown}");
        }
        assert!(read("benchmarks-rate.svg").contains("clients"));
        assert!(!directory.path().join("benchmarks-tools.svg").exists(), "there is nothing to draw");
    }
}
