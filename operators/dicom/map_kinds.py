"""The kinds of computed maps, and by which values of a header each is known.

A map holds a quantity that was computed from images: its noise is not that of measured slices. Sources: PS3.3
C.8.13.3.1 and C.8.15.3.2 (frame types), C.8.2.1.1.1 (multi-energy CT), CID 7180 (quantities), and what makers write.
"""

import re
from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

DCM = codes.DCM


@dataclass(frozen=True)
class MapKind:
    """One kind of map. Values are compared in upper case, without spaces, underscores and hyphens."""

    key: str  # in the setting ``limits.maps``
    name: str
    types: frozenset[str]  # of ImageType and FrameType; one is enough
    codes: frozenset[str] = frozenset()  # of a quantity or derivation, scheme DCM; one is enough
    units: frozenset[str] = frozenset()  # of RescaleType or a real world value mapping; a weak sign
    words: re.Pattern[str] | None = None  # in DerivationDescription or SeriesDescription; a weak sign
    named_by_protocol: bool = False  # whether the words also stand in the descriptions of the images it is made from


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


def _values(*concepts: Code) -> frozenset[str]:
    return frozenset(concept.value for concept in concepts)


def _set(values: str) -> frozenset[str]:
    return frozenset(values.split())


MAP_KINDS = (
    MapKind(
        "adc",
        "an ADC map",
        _set("ADC ADCMAP EADC EXPADC EADCMAP AVDC AVGDC MEANDIFFUSIVITY MDMAP"),
        _values(
            DCM.ApparentDiffusionCoefficient, DCM.DiffusionCoefficient, DCM.MonoExponentialApparentDiffusionCoefficient
        )
        | _values(DCM.MeanDiffusivity, DCM.FastDiffusionCoefficient, DCM.SlowDiffusionCoefficient),
        _set("MM2/S MM^2/S UM2/S 10-6MM2/S 10^-6MM2/S 106.MM2/S 10-6.MM2/S 10-3MM2/S 10*-6.MM2/S"),
        _words(r"[de]?adc|apparent diffusion coefficient|mean diffusivity"),
    ),
    MapKind(
        "anisotropy",
        "an anisotropy map",
        _set("FA FAMAP FRACTIONALANISOTROPY RELATIVEANISOTROPY DIFFUSIONANISO COLFA FACOLOR"),
        _values(DCM.FractionalAnisotropy, DCM.RelativeAnisotropy, DCM.DiffusionAnisotropy),
        _set("FA"),
        _words(r"(fractional|relative) anisotropy|fa map"),  # FA alone is a flip angle
    ),
    MapKind(
        "tensor",
        "a diffusion tensor map",
        _set("TENSOR TENSORTRACE TRACEMAP EIGENVALUE EIGENVECTOR AXIALDIFFUSIVITY RADIALDIFFUSIVITY KURTOSIS"),
        _values(DCM.AxialDiffusivity, DCM.RadialDiffusivity, DCM.VolumetricDiffusionDxxComponent)
        | _values(DCM.VolumetricDiffusionDyyComponent, DCM.VolumetricDiffusionDzzComponent),
        _set("MM2/S MM^2/S UM2/S 10-6MM2/S 10^-6MM2/S 10-6.MM2/S 10*-6.MM2/S"),
        _words(r"trace|tensor trace|trace map|eigenvalue|(axial|radial) diffusivity"),
        named_by_protocol=True,  # trace-weighted images
    ),
    MapKind(
        "relaxation",
        "a relaxation time or rate map",
        _set("T1MAP T2MAP T2STARMAP R2 R1MAP R2MAP R2STAR R2STARMAP T1RHOMAP ECVMAP"),
        _values(DCM.T1, DCM.T2, DCM.T2Star, DCM.R2, DCM.R2Star),
        _set("MS MSEC S HZ 1/S /S"),
        _words(r"(t1|t2|t2star|t1rho) ?(map|mapping)|r2star|r2star map"),
        named_by_protocol=True,
    ),
    MapKind(
        "proton-density",
        "a proton density map",
        _set("PDMAP RHO RHOMAP PROTONDENSITYMAP"),
        _values(DCM.ProtonDensity),
        words=_words(r"pd ?map|proton density map"),  # PD alone is a weighting
    ),
    MapKind(
        "perfusion",
        "a perfusion map",
        _set("CBF RCBF RELCBF CORRCBF CBFMAP CBV RCBV RELCBV CORRCBV CBVMAP MTT RMTT RELMTT MTTMAP TTP TTPMAP")
        | _set("TMAX TMAXMAP TTD TTS PBP GBP NEI IRF KTRANS KEP IAUC IAUGC IAUGC60 PERMEABILITY WASHIN WASHOUT PEI"),
        _values(DCM.RegionalCerebralBloodFlow, DCM.RegionalCerebralBloodVolume, DCM.AbsoluteRegionalBloodFlow)
        | _values(DCM.AbsoluteRegionalBloodVolume, DCM.RelativeRegionalBloodFlow, DCM.RelativeRegionalBloodVolume)
        | _values(DCM.MeanTransitTime, DCM.TimeToPeak, DCM.Tmax, DCM.Ktrans, DCM.Perfusion),
        _set("ML/100G/MIN ML/(100.G.MIN) ML/100ML/MIN ML/(100ML.MIN) ML/100G ML/100ML 1/MIN /MIN S SEC"),
        _words(
            r"(rel|r|corr|corrected )?cb[fv]|cerebral blood (flow|volume)|mtt|mean transit time|ttp|time to peak|tmax"
        ),
    ),
    MapKind(
        "fraction",
        "a fat or water fraction map",
        _set("FATFRACTION FATFRAC FF PDFF WATERFRACTION FATFRACTIONMAP FATPERCENT WATERPERCENT"),
        _values(DCM.FatFraction, DCM.WaterFraction),
        _set("% PCT PERCENT"),
        _words(r"(fat|water) ?frac(tion)?|pdff"),
    ),
    MapKind(
        "field",
        "a field map",
        _set("B0MAP B1MAP FIELDMAP FREQUENCYMAP SUSCEPTIBILITY QSM QSMMAP"),  # B0 alone is the image without diffusion
        _values(DCM.FieldMapMRSignalIntensity),
        _set("HZ RAD/S PPM PPB"),
        _words(r"b[01] ?map|field ?map|qsm|frequency map"),
        named_by_protocol=True,  # the magnitude images of its two echoes
    ),
    MapKind(
        "kinetic",
        "a map of kinetic parameters",
        _set("KI KIMAP VT VTMAP PATLAK PARAMETRIC K1MAP MRFDG"),
        units=_set("MLMINML MGMINML UMOLMINML MLMING ML/MIN/ML ML/(MIN.ML) ML/ML MLML MLG"),
        words=_words(r"patlak|ki map|influx (rate|constant)|vt map|distribution volume"),
    ),
    MapKind(
        "subtraction",
        "a subtraction image",
        _set("SUBTRACTION SUBTRACTED SUB SUBTRACT"),
        _values(DCM.PixelByPixelSubtraction),
        words=_words(r"subtract(ion|ed)?"),
    ),
    MapKind(
        "material",
        "a material or spectral map",  # virtual mono-energetic images (VMI) are images
        _set("MATSPECIFIC MATREMOVED MATFRACTIONAL MATMODIFIED MATVALUEBASED EFFATOMICNUM ELECTRONDENSITY ZEFF RHOZ")
        | _set("IODINE IODINEMAP IODINEDENSITY IODINENOWATER VNC VIRTUALNONCONTRAST VUE URICACID CALCIUMSUPPRESSED"),
        _values(DCM.EffectiveAtomicNumber, DCM.RelativeElectronDensity),
        _set("MGML MG/ML ZEFF ED EDW PCT % 10^23E/CM3"),
        _words(r"iodine (map|density|concentration|no water|overlay)|vnc|virtual non ?contrast|z ?eff(ective)?"),
    ),
    MapKind(
        "statistic",
        "a map of statistics or of other computed quantities",
        _set("QUANTITY METABOLITEMAP TEMPERATUREMAP STDDEVIATION SNRMAP RCOEFFICIENT TCS TMAP TTEST ZMAP STIFFNESS")
        | _set("STIFFNESSMAP SHEARSTIFFNESS CONFIDENCEMAP"),
        units=_set("STDDEV KPA"),
    ),
)
